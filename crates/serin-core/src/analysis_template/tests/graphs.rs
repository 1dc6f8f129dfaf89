//! Templates that include each other in any way.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// Names of which some have no template.
fn name(index: usize) -> String {
    if index.is_multiple_of(3) { format!("cluster/t{index}") } else { format!("t{index}") }
}

/// Templates that include those of the indices.
fn templates(edges: &[Vec<usize>]) -> Templates {
    let specs: Vec<(String, Value)> = edges
        .iter()
        .enumerate()
        .map(|(index, edges)| {
            let names: Vec<String> = edges.iter().map(|edge| name(*edge)).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            (name(index), json!({"templates": included(&names)}))
        })
        .collect();
    let specs: Vec<(&str, Value)> = specs.iter().map(|(name, spec)| (name.as_str(), spec.clone())).collect();
    Templates::new(&specs)
}

fn has_cycle(edges: &[Vec<usize>], from: usize, path: &mut Vec<usize>) -> bool {
    if path.contains(&from) {
        return true;
    }
    path.push(from);
    let found = edges.get(from).into_iter().flatten().any(|next| has_cycle(edges, *next, path));
    path.pop();
    found
}

/// A declaration of an argument: nothing, one of two values, or a source.
fn declaration() -> impl Strategy<Value = Value> {
    let source = json!({"name": "x", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}});
    prop_oneof![
        Just(json!({"name": "x"})),
        Just(json!({"name": "x", "value": "1"})),
        Just(json!({"name": "x", "value": "2"})),
        Just(json!({"name": "y", "value": "3"})),
        Just(source),
    ]
}

proptest! {
    #[test]
    fn any_graph_is_walked_to_its_end(edges in vec(vec(0_usize..8, 0..4), 0..7)) {
        let templates = templates(&edges);
        let start = name(0);
        let collected = templates.collect(&[&start]);
        let is_cyclic = collected.errors.iter().any(|error| matches!(error, TemplateError::Cycle(_)));
        prop_assert_eq!(is_cyclic, has_cycle(&edges, 0, &mut Vec::new()));
        for error in &collected.errors {
            match error {
                TemplateError::Cycle(names) => {
                    prop_assert!(names.len() > 1 && names.first() == names.last());
                }
                TemplateError::Missing(name) => prop_assert!(!templates.0.contains_key(name)),
                TemplateError::Unreadable { .. } | TemplateError::TooMany => prop_assert!(false, "{}", error),
            }
        }
        let found: Vec<_> = collected.templates().map(|(name, _)| name.clone()).collect();
        prop_assert!(found.iter().all(|name| collected.names.contains(name)));
        prop_assert_eq!(found.len(), collected.names.iter().filter(|name| templates.0.contains_key(name)).count());
    }

    #[test]
    fn large_graphs_are_limited(edges in vec(vec(0_usize..400, 0..8), 300..400)) {
        let templates = templates(&edges);
        let collected = templates.collect(&["cluster/t0", "t1", "t2", "cluster/t3"]);
        prop_assert!(collected.names.len() <= TEMPLATES_MAX);
        let limits = collected.errors.iter().filter(|error| **error == TemplateError::TooMany).count();
        prop_assert!(limits <= 1);
        prop_assert!(run_spec(&collected, &[], &[], &[]).is_ok() || !collected.errors.is_empty());
    }

    #[test]
    fn the_order_of_declarations_does_not_matter(
        declarations in vec(declaration(), 0..6).prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
    ) {
        let merged = |declarations: &[Value]| {
            let specs: Vec<(String, Value)> = declarations
                .iter()
                .enumerate()
                .map(|(index, one)| (format!("t{index}"), measures(&[], &json!([one]))))
                .collect();
            let names: Vec<&str> = specs.iter().map(|(name, _)| name.as_str()).collect();
            let specs: Vec<(&str, Value)> = specs.iter().map(|(name, spec)| (name.as_str(), spec.clone())).collect();
            let templates = Templates::new(&specs);
            let mut flat = flatten(&templates.collect(&names)).ok()?;
            flat.args.sort_by(|one, other| one.name.cmp(&other.name));
            Some(flat.args)
        };
        let (first, second) = declarations;
        prop_assert_eq!(merged(&first), merged(&second));
    }
}
