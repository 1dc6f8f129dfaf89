//! Facts about tables and partial objects.

use serde_json::{Value, json};

use crate::world::{TABLE, World, facts, hold, replica_set, service, text};

#[tokio::test]
async fn tables() {
    hold(&facts![
        config_maps_are_counted,
        replica_sets_are_counted,
        services_show_their_address,
        pods_show_what_is_ready,
        rows_have_metadata,
        rows_can_have_nothing,
        rows_can_have_objects,
        one_object_is_a_table,
        a_refusal_is_no_table,
        lists_can_be_metadata,
        objects_can_be_metadata,
    ])
    .await;
}

/// The names of the columns; those that are shown with `-o wide` only are in parentheses.
fn columns(table: &Value) -> String {
    let columns = table["columnDefinitions"].as_array().expect("columns");
    let name = |column: &Value| match column["priority"].as_u64() {
        Some(0) => text(&column["name"]),
        _ => format!("({})", text(&column["name"])),
    };
    columns.iter().map(name).collect::<Vec<_>>().join(" ")
}

/// The cells of the only row, without the age.
fn cells(table: &Value, age: usize) -> Vec<Value> {
    let rows = table["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 1);
    let mut cells = rows[0]["cells"].as_array().expect("cells").clone();
    let age = text(&cells.remove(age));
    assert!(age.ends_with('s') && age.len() <= 4, "{age}");
    cells
}

async fn config_maps_are_counted(w: World) {
    w.config_map("a", &json!({"k": "1", "l": "2"})).await;
    let table = w.table("v1/configmaps?fieldSelector=metadata.name%3Da").await;
    assert_eq!((&table["kind"], &table["apiVersion"]), (&json!("Table"), &json!("meta.k8s.io/v1")));
    assert_eq!((columns(&table).as_str(), cells(&table, 2)), ("Name Data Age", vec![json!("a"), json!(2)]));
}

async fn replica_sets_are_counted(w: World) {
    w.post("apps/v1/replicasets", &replica_set("a")).await.done();
    let table = w.table("apps/v1/replicasets").await;
    assert_eq!(columns(&table), "Name Desired Current Ready Age (Containers) (Images) (Selector)");
    let expected = json!(["a", 0, 0, 0, "main,side", "demo:blue,side:1", "app=a"]);
    assert_eq!(Value::Array(cells(&table, 4)), expected);
}

async fn services_show_their_address(w: World) {
    let made = w.post("v1/services", &service("a")).await.done();
    let table = w.table("v1/services").await;
    assert_eq!(columns(&table), "Name Type Cluster-IP External-IP Port(s) Age (Selector)");
    let expected = json!(["a", "ClusterIP", made["spec"]["clusterIP"], "<none>", "80/TCP", "app=a"]);
    assert_eq!(Value::Array(cells(&table, 5)), expected);
}

async fn pods_show_what_is_ready(w: World) {
    w.pod("a").await;
    let table = w.table("v1/pods").await;
    assert_eq!(
        columns(&table),
        "Name Ready Status Restarts Age (IP) (Node) (Nominated Node) (Readiness Gates)"
    );
    let expected = json!(["a", "0/1", "Pending", "0", "<none>", "<none>", "<none>", "<none>"]);
    assert_eq!(Value::Array(cells(&table, 4)), expected);
}

async fn rows_have_metadata(w: World) {
    let made = w.config_map("a", &json!({"k": "1"})).await;
    let table = w.table("v1/configmaps?fieldSelector=metadata.name%3Da").await;
    let object = &table["rows"][0]["object"];
    assert_eq!((&object["kind"], &object["metadata"]), (&json!("PartialObjectMetadata"), &made["metadata"]));
    assert_eq!(object["data"], Value::Null);
    assert!(!text(&table["metadata"]["resourceVersion"]).is_empty());
}

async fn rows_can_have_nothing(w: World) {
    w.config_map("a", &json!({})).await;
    let table = w.table("v1/configmaps?includeObject=None").await;
    assert_eq!(table["rows"][0]["object"], Value::Null);
}

async fn rows_can_have_objects(w: World) {
    let made = w.config_map("a", &json!({"k": "1"})).await;
    let table = w.table("v1/configmaps?includeObject=Object&fieldSelector=metadata.name%3Da").await;
    assert_eq!(table["rows"][0]["object"], made);
}

async fn one_object_is_a_table(w: World) {
    w.config_map("a", &json!({"k": "1"})).await;
    let table = w.table("v1/configmaps/a").await;
    assert_eq!((columns(&table).as_str(), cells(&table, 2)), ("Name Data Age", vec![json!("a"), json!(1)]));
}

async fn a_refusal_is_no_table(w: World) {
    let path = w.path("v1/configmaps/none");
    w.send("GET", &path, &[("accept", TABLE)], &Value::Null).await.refused(404, "NotFound");
}

async fn lists_can_be_metadata(w: World) {
    w.config_map("a", &json!({"k": "1"})).await;
    let accept = [("accept", "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io")];
    let path = w.path("v1/configmaps?fieldSelector=metadata.name%3Da");
    let list = w.send("GET", &path, &accept, &Value::Null).await.done();
    assert_eq!(
        (&list["kind"], &list["apiVersion"]),
        (&json!("PartialObjectMetadataList"), &json!("meta.k8s.io/v1"))
    );
    assert_eq!(
        (&list["items"][0]["metadata"]["name"], &list["items"][0]["data"]),
        (&json!("a"), &Value::Null)
    );
}

async fn objects_can_be_metadata(w: World) {
    let made = w.config_map("a", &json!({"k": "1"})).await;
    let accept = [("accept", "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io")];
    let object = w.send("GET", &w.path("v1/configmaps/a"), &accept, &Value::Null).await.done();
    assert_eq!((&object["kind"], &object["metadata"]), (&json!("PartialObjectMetadata"), &made["metadata"]));
    assert_eq!(object["data"], Value::Null);
}
