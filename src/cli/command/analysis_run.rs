//! `serin create analysisrun`: creates an `AnalysisRun` from a template, independent of any update.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use kube::Api;
use kube::api::DynamicObject;
use kube::core::ApiResource;
use serde_json::{Map, Value, json};

use super::super::client::{Cluster, UserFlags};
use super::super::failure::Failure;
use super::super::lint;
use super::manner::Manner;
use super::new::New;
use serin_core::api::{AnalysisTemplate, ClusterAnalysisTemplate, keys};

/// Flags of `serin create analysisrun`.
#[derive(Debug, Args)]
pub(super) struct AnalysisRunFlags {
    /// Name of an `AnalysisTemplate` in the cluster
    #[arg(long, value_name = "NAME", required_unless_present = "from_file", conflicts_with = "from_file")]
    from: Option<String>,
    /// File with an `AnalysisTemplate` or a `ClusterAnalysisTemplate`; - is the standard input
    #[arg(long, value_name = "FILE")]
    from_file: Option<PathBuf>,
    /// Read a `ClusterAnalysisTemplate` with --from
    #[arg(long, requires = "from")]
    global: bool,
    /// Name of the `AnalysisRun` [default: generated from the name of the template]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Prefix of the generated name [default: the name of the template and a hyphen]
    #[arg(long, value_name = "PREFIX", conflicts_with = "name")]
    generate_name: Option<String>,
    /// Instance id of the controller that reconciles it; replaces all labels
    #[arg(long, value_name = "ID")]
    instance_id: Option<String>,
    /// Argument of the template; repeatable
    #[arg(long = "argument", short = 'a', value_name = "NAME=VALUE", value_parser = argument)]
    arguments: Vec<(String, String)>,
    #[command(flatten)]
    manner: Manner,
    #[command(flatten)]
    user: UserFlags,
}

fn argument(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Creates an `AnalysisRun`.
pub(super) async fn analysis_run(flags: AnalysisRunFlags) -> Result<(), Failure> {
    let AnalysisRunFlags {
        from,
        from_file,
        global,
        name,
        generate_name,
        instance_id,
        arguments,
        manner,
        user,
    } = flags;
    let cluster = Cluster::open(user).await?;
    let template = match (from, from_file) {
        (Some(name), _) => stored(&cluster, &name, global).await?,
        (None, Some(path)) => of_file(&path)?,
        (None, None) => {
            return Err(Failure::Usage("no template given; set --from or --from-file".to_owned()));
        }
    };
    let template = whole(&cluster, template).await?;
    let mut run = run_of(&template, &arguments).map_err(Failure::Failed)?;
    match (name, generate_name) {
        (Some(name), _) => run["metadata"]["name"] = name.into(),
        (None, Some(prefix)) => run["metadata"]["generateName"] = prefix.into(),
        (None, None) => {}
    }
    if let Some(id) = instance_id {
        run["metadata"]["labels"] = json!({keys::INSTANCE_ID_LABEL: id});
    }
    let made = New::analysis_run(run)?.make(&cluster, &manner).await?;
    manner.tell_programs(&[made])
}

/// The template of that name.
async fn stored(cluster: &Cluster, name: &str, is_global: bool) -> Result<Value, Failure> {
    let (kind, api): (&str, Api<DynamicObject>) = if is_global {
        let kind = ApiResource::erase::<ClusterAnalysisTemplate>(&());
        (keys::CLUSTER_ANALYSIS_TEMPLATE, Api::all_with(cluster.client.clone(), &kind))
    } else {
        (keys::ANALYSIS_TEMPLATE, cluster.objects::<AnalysisTemplate>())
    };
    let found = cluster.ask(api.get(name)).await.map_err(|failure| {
        if let Failure::NotFound(_) = failure {
            Failure::NotFound(format!("{kind} {name:?} not found"))
        } else {
            failure.about(kind)
        }
    })?;
    serde_json::to_value(found).map_err(|error| Failure::Failed(error.to_string()))
}

/// The only template in a file.
fn of_file(path: &PathBuf) -> Result<Value, Failure> {
    let kinds = [keys::ANALYSIS_TEMPLATE, keys::CLUSTER_ANALYSIS_TEMPLATE];
    let mut found = lint::sound(std::slice::from_ref(path))?;
    found.retain(|object| kinds.contains(&object.kind.as_str()));
    match (found.pop(), found.is_empty()) {
        (Some(only), true) => Ok(only.json),
        (None, _) => {
            Err(Failure::Failed(format!("{}: the file contains no {}", path.display(), kinds.join(" or "))))
        }
        (Some(_), false) => {
            Err(Failure::Failed(format!("{}: the file contains more than one template", path.display())))
        }
    }
}

/// A template with the contents of all templates that it references. Each one is included once.
async fn whole(cluster: &Cluster, mut template: Value) -> Result<Value, Failure> {
    const LISTS: [&str; 4] = ["metrics", "args", "dryRun", "measurementRetention"];
    let is_global = template["kind"] == keys::CLUSTER_ANALYSIS_TEMPLATE;
    let name = template["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let mut seen = BTreeSet::from([(name, is_global)]);
    let mut open = references(&mut template);
    while let Some((name, is_global)) = open.pop() {
        if !seen.insert((name.clone(), is_global)) {
            continue;
        }
        let mut other = stored(cluster, &name, is_global).await?;
        open.extend(references(&mut other));
        for list in LISTS {
            let items = other["spec"][list].as_array().cloned().unwrap_or_default();
            match template["spec"][list].as_array_mut() {
                Some(own) => own.extend(items),
                None if items.is_empty() => {}
                None => template["spec"][list] = items.into(),
            }
        }
    }
    Ok(template)
}

/// Removes the references from a template, and returns them: name, and true for cluster-scoped templates.
fn references(template: &mut Value) -> Vec<(String, bool)> {
    let named = |one: &Value| {
        Some((one["templateName"].as_str()?.to_owned(), one["clusterScope"].as_bool().unwrap_or(false)))
    };
    let taken = template["spec"].as_object_mut().and_then(|spec| spec.remove("templates"));
    taken.iter().filter_map(Value::as_array).flatten().filter_map(named).collect()
}

/// The `AnalysisRun` for a template and arguments.
fn run_of(template: &Value, arguments: &[(String, String)]) -> Result<Value, String> {
    const KEPT: [&str; 3] = ["labels", "annotations", "namespace"];
    let meta = template["metadata"].as_object();
    let mut kept: Map<String, Value> = meta.cloned().unwrap_or_default();
    kept.retain(|field, _| KEPT.contains(&field.as_str()));
    if let Some(annotations) = kept.get_mut("annotations").and_then(Value::as_object_mut) {
        annotations.remove(keys::LAST_APPLIED);
    }
    let name = template["metadata"]["name"].as_str().unwrap_or_default();
    kept.insert("generateName".to_owned(), format!("{name}-").into());
    let mut spec = template["spec"].clone();
    fill(&mut spec, arguments)?;
    Ok(json!({"apiVersion": keys::API_VERSION, "kind": keys::ANALYSIS_RUN, "metadata": kept, "spec": spec}))
}

/// Sets the arguments of a template. Every argument must have a value afterwards.
fn fill(spec: &mut Value, arguments: &[(String, String)]) -> Result<(), String> {
    let mut none = Vec::new();
    let known = spec.get_mut("args").and_then(Value::as_array_mut).unwrap_or(&mut none);
    let names: Vec<String> = known.iter().filter_map(|one| one["name"].as_str()).map(str::to_owned).collect();
    for (name, value) in arguments {
        if !names.contains(name) {
            return Err(match names.as_slice() {
                [] => format!("the template has no argument {name:?}; it has no arguments"),
                names => format!("the template has no argument {name:?}; it has: {}", names.join(", ")),
            });
        }
        // Several templates may have the same argument.
        for argument in known.iter_mut().filter(|one| one["name"] == **name) {
            *argument = json!({"name": name, "value": value});
        }
    }
    let mut met = BTreeSet::new();
    known.retain(|one| met.insert(one["name"].to_string()));
    let is_open = |one: &&Value| one["value"].is_null() && one["valueFrom"].is_null();
    let open: Vec<&str> = known.iter().filter(is_open).filter_map(|one| one["name"].as_str()).collect();
    match open.as_slice() {
        [] => Ok(()),
        open => Err(format!("missing values of arguments: {}; set them with -a NAME=VALUE", open.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template() -> Value {
        json!({
            "apiVersion": keys::API_VERSION, "kind": keys::ANALYSIS_TEMPLATE,
            "metadata": {"name": "rate", "namespace": "shop", "uid": "u", "resourceVersion": "1", "labels": {"a": "b"},
                "annotations": {keys::LAST_APPLIED: "{}"}},
            "spec": {"args": [{"name": "host"}, {"name": "port", "value": "80"}, {"name": "key", "valueFrom": {}}],
                "metrics": []},
        })
    }

    #[test]
    fn a_template_becomes_a_run() {
        let run = run_of(&template(), &[argument("host=x=y").unwrap()]).unwrap();
        let expected = json!({
            "apiVersion": keys::API_VERSION, "kind": keys::ANALYSIS_RUN,
            "metadata": {"generateName": "rate-", "namespace": "shop", "labels": {"a": "b"}, "annotations": {}},
            "spec": {"args": [{"name": "host", "value": "x=y"}, {"name": "port", "value": "80"},
                {"name": "key", "valueFrom": {}}], "metrics": []},
        });
        assert_eq!(run, expected);
    }

    #[test]
    fn arguments_that_are_unknown_or_missing_are_named() {
        let given = |name: &str| [(name.to_owned(), String::new())];
        let unknown = run_of(&template(), &given("hots"));
        assert_eq!(unknown.unwrap_err(), "the template has no argument \"hots\"; it has: host, port, key");
        let open = run_of(&template(), &given("port"));
        assert_eq!(open.unwrap_err(), "missing values of arguments: host; set them with -a NAME=VALUE");
    }
}
