//! Facts about lists: their form, pages, and selectors.

use serde_json::{Value, json};

use crate::world::{World, config_map, facts, hold, names, text, version};

#[tokio::test]
async fn listing() {
    hold(&facts![
        a_list_has_a_kind_and_its_items_have_none,
        an_empty_list_is_a_list,
        items_are_in_order_of_their_names,
        a_page_says_what_remains,
        pages_make_the_whole,
        pages_show_one_moment,
        a_selector_hides_what_remains,
        a_bad_token_is_refused,
        labels_select,
        bad_label_selectors_are_refused,
        names_select,
        fields_of_pods_select,
        unknown_fields_do_not_select,
        namespaces_select_across_all,
        a_match_needs_a_version,
        an_old_version_can_be_listed_exactly,
        a_version_of_the_future_times_out,
        a_version_has_to_be_a_number,
        collections_are_deleted_by_selector,
    ])
    .await;
}

const ALL: &str = "v1/configmaps?labelSelector=mine";

/// Config maps with the label `mine`, which the certificate that every namespace gets does not have.
async fn make(w: &World, names: &[&str]) {
    for name in names {
        let mut object = config_map(name, &json!({}));
        object["metadata"]["labels"] = json!({"mine": "", "name": name, "is-a": (*name == "a").to_string()});
        w.post("v1/configmaps", &object).await.done();
    }
}

async fn a_list_has_a_kind_and_its_items_have_none(w: World) {
    make(&w, &["a"]).await;
    let list = w.get(ALL).await.done();
    assert_eq!((&list["kind"], &list["apiVersion"]), (&json!("ConfigMapList"), &json!("v1")));
    assert_eq!((&list["items"][0]["kind"], &list["items"][0]["apiVersion"]), (&Value::Null, &Value::Null));
    assert!(version(&list) >= version(&list["items"][0]));
}

async fn an_empty_list_is_a_list(w: World) {
    let list = w.get("apps/v1/deployments").await.done();
    assert_eq!((&list["items"], &list["kind"]), (&json!([]), &json!("DeploymentList")));
}

async fn items_are_in_order_of_their_names(w: World) {
    make(&w, &["b", "a-1", "a", "a1", "c"]).await;
    assert_eq!(names(&w.get(ALL).await.done()), ["a", "a-1", "a1", "b", "c"]);
}

async fn a_page_says_what_remains(w: World) {
    for name in ["a", "b", "c", "d", "e"] {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}});
        w.post("v1/secrets", &secret).await.done();
    }
    let page = w.get("v1/secrets?limit=2").await.done();
    assert_eq!(
        (names(&page), &page["metadata"]["remainingItemCount"]),
        (vec!["a".into(), "b".into()], &json!(3))
    );
    assert!(!text(&page["metadata"]["continue"]).is_empty());
}

async fn pages_make_the_whole(w: World) {
    let all = ["a", "b", "c", "d", "e"];
    make(&w, &all).await;
    let (mut found, mut token, mut versions) = (Vec::new(), String::new(), Vec::new());
    loop {
        let page = w.get(&format!("{ALL}&limit=2&continue={token}")).await.done();
        found.extend(names(&page));
        versions.push(version(&page));
        token = text(&page["metadata"]["continue"]);
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(found, all);
    assert!(versions.len() == 3 && versions.iter().all(|version| *version == versions[0]), "{versions:?}");
}

async fn pages_show_one_moment(w: World) {
    make(&w, &["a", "c", "d"]).await;
    let page = w.get(&format!("{ALL}&limit=1")).await.done();
    make(&w, &["b"]).await;
    w.delete("v1/configmaps/d", &Value::Null).await.done();
    let token = text(&page["metadata"]["continue"]);
    let rest = w.get(&format!("{ALL}&limit=9&continue={token}")).await.done();
    assert_eq!(names(&rest), ["c", "d"]);
}

async fn a_selector_hides_what_remains(w: World) {
    make(&w, &["a", "b", "c"]).await;
    let page = w.get(&format!("{ALL}&limit=1")).await.done();
    assert_eq!(page["metadata"]["remainingItemCount"], Value::Null);
    assert!(!text(&page["metadata"]["continue"]).is_empty());
}

async fn a_bad_token_is_refused(w: World) {
    let body = w.get("v1/configmaps?limit=1&continue=nonsense").await.refused(400, "BadRequest");
    assert!(
        text(&body["message"]).starts_with("invalid continue token: continue key is not valid: "),
        "{body}"
    );
}

async fn labels_select(w: World) {
    make(&w, &["a", "b", "c"]).await;
    for (selector, expected) in [
        ("name=a", "a"),
        ("name==b", "b"),
        ("mine,name!=a", "b c"),
        ("name%20in%20(a,c)", "a c"),
        ("mine,name%20notin%20(a,c)", "b"),
        ("mine,is-a=false", "b c"),
        ("mine=,!other", "a b c"),
        ("mine,!name", ""),
        ("name%3Ea", ""),
    ] {
        let answer = w.get(&format!("v1/configmaps?labelSelector={selector}")).await;
        if selector == "name%3Ea" {
            answer.refused(400, "BadRequest");
        } else {
            assert_eq!(names(&answer.done()).join(" "), expected, "{selector}");
        }
    }
}

async fn bad_label_selectors_are_refused(w: World) {
    let body = w.get("v1/configmaps?labelSelector=a%20b").await.refused(400, "BadRequest");
    assert!(text(&body["message"]).starts_with("unable to parse requirement: "), "{body}");
}

async fn names_select(w: World) {
    make(&w, &["a", "b"]).await;
    assert_eq!(names(&w.get("v1/configmaps?fieldSelector=metadata.name%3Db").await.done()), ["b"]);
    assert_eq!(names(&w.get(&format!("{ALL}&fieldSelector=metadata.name!%3Db")).await.done()), ["a"]);
}

async fn fields_of_pods_select(w: World) {
    w.pod("idle").await;
    w.running_pod("busy").await;
    for (selector, expected) in [
        ("spec.nodeName=nowhere", "busy"),
        ("spec.nodeName=", "idle"),
        ("status.phase=Running", "busy"),
        ("status.phase!=Running", "idle"),
        ("spec.restartPolicy=Always,status.phase=Pending", "idle"),
    ] {
        let list = w.get(&format!("v1/pods?fieldSelector={selector}")).await.done();
        assert_eq!(names(&list).join(" "), expected, "{selector}");
    }
}

async fn unknown_fields_do_not_select(w: World) {
    let body = w.get("v1/configmaps?fieldSelector=data.k%3D1").await.refused(400, "BadRequest");
    let expected = r#""data.k" is not a known field selector: only "metadata.name", "metadata.namespace""#;
    assert_eq!(body["message"], expected);
}

async fn namespaces_select_across_all(w: World) {
    make(&w, &["a"]).await;
    let namespace = &w.namespace;
    let path =
        format!("/api/v1/configmaps?labelSelector=mine&fieldSelector=metadata.namespace%3D{namespace}");
    let list = w.send("GET", &path, &[], &Value::Null).await.done();
    assert_eq!(
        (names(&list), text(&list["items"][0]["metadata"]["namespace"])),
        (vec!["a".to_owned()], namespace.clone())
    );
}

async fn a_match_needs_a_version(w: World) {
    let refused = w.get("v1/configmaps?resourceVersionMatch=Exact").await;
    let message = refused.invalid("FieldValueForbidden", "resourceVersionMatch");
    assert_eq!(message, "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided");
}

async fn an_old_version_can_be_listed_exactly(w: World) {
    make(&w, &["a"]).await;
    let then = version(&w.get(ALL).await.done());
    make(&w, &["b"]).await;
    let list = w.get(&format!("{ALL}&resourceVersion={then}&resourceVersionMatch=Exact")).await.done();
    assert_eq!((names(&list), version(&list)), (vec!["a".to_owned()], then));
}

async fn a_version_of_the_future_times_out(w: World) {
    let future = version(&w.get(ALL).await.done()) + 1_000_000;
    let body = w.get(&format!("{ALL}&resourceVersion={future}&resourceVersionMatch=NotOlderThan")).await;
    let body = body.refused(504, "Timeout");
    assert_eq!(body["details"]["causes"][0]["reason"], "ResourceVersionTooLarge");
    assert!(
        text(&body["message"])
            .starts_with(&format!("Timeout: Too large resource version: {future}, current: ")),
        "{body}"
    );
}

async fn a_version_has_to_be_a_number(w: World) {
    let answer = w.get("v1/configmaps?resourceVersion=soon").await;
    assert!([400, 422].contains(&answer.code), "{}", answer.text);
    assert!(text(&answer.body["message"]).contains("resourceVersion"), "{}", answer.text);
}

async fn collections_are_deleted_by_selector(w: World) {
    make(&w, &["a", "b", "c"]).await;
    let list = w.delete("v1/configmaps?labelSelector=name%20in%20(a,b)", &Value::Null).await.done();
    assert_eq!(
        (&list["kind"], names(&list)),
        (&json!("ConfigMapList"), vec!["a".to_owned(), "b".to_owned()])
    );
    assert_eq!(names(&w.get(ALL).await.done()), ["c"]);
}
