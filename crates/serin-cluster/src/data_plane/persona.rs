//! What a pod answers, read from its image.

use std::time::Duration;

use crate::view::{Object, View};

/// The last part of the name of the demo image; its tag is a colour.
const DEMO_IMAGE: &str = "rollouts-demo";
/// How late a slow pod answers.
const SLOWNESS: Duration = Duration::from_secs(2);
/// Annotations of a ReplicaSet that number its revision.
const REVISIONS: [&str; 2] = ["rollout.argoproj.io/revision", "deployment.kubernetes.io/revision"];
/// Labels of a pod that tell its revision where there is no number.
const HASHES: [&str; 2] = ["rollouts-pod-template-hash", "pod-template-hash"];

/// How a pod behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// It answers at once.
    Fine,
    /// It answers 500.
    Fails,
    /// It answers two seconds late.
    Slow,
}

/// Who a pod is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Persona {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub pod: String,
    /// The image of its first container.
    pub image: String,
    /// The colour, if it is the demo image.
    pub colour: Option<String>,
    /// Number or hash of its revision; empty where it has none.
    pub revision: String,
    /// How it behaves.
    pub manner: Manner,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Text of the body.
    pub body: String,
    /// How long the answer takes.
    pub delay: Duration,
}

/// Who `pod` is. The tags `error` and `bad-COLOUR` of the demo image fail, `slow` and `slow-COLOUR` are slow.
#[must_use]
pub fn persona(view: &View, pod: &Object) -> Persona {
    let image = pod.text("/spec/containers/0/image");
    let tag = demo_tag(image);
    let (manner, colour) = match tag {
        Some("error") => (Manner::Fails, tag),
        Some("slow") => (Manner::Slow, tag),
        Some(tag) if tag.starts_with("bad-") => (Manner::Fails, tag.strip_prefix("bad-")),
        Some(tag) if tag.starts_with("slow-") => (Manner::Slow, tag.strip_prefix("slow-")),
        Some(_) | None => (Manner::Fine, tag),
    };
    Persona {
        namespace: pod.namespace().to_owned(),
        pod: pod.name().to_owned(),
        image: image.to_owned(),
        colour: colour.map(str::to_owned),
        revision: revision(view, pod),
        manner,
    }
}

/// The tag of the demo image; none for other images.
fn demo_tag(image: &str) -> Option<&str> {
    let image = image.split('@').next().unwrap_or(image);
    let last = image.rsplit('/').next().unwrap_or(image);
    let (name, tag) = last.split_once(':').unwrap_or((last, "latest"));
    (name == DEMO_IMAGE).then_some(tag)
}

fn revision(view: &View, pod: &Object) -> String {
    let set = pod.controller().and_then(|owner| view.get(view.place_of(owner.uid)?));
    let number = set.and_then(|set| REVISIONS.iter().find_map(|key| set.annotation(key)));
    let hash = || HASHES.iter().find_map(|key| pod.label(key));
    number.or_else(hash).unwrap_or_default().to_owned()
}

/// What a pod answers to a request for `path`.
#[must_use]
pub fn answer(persona: &Persona, path: &str) -> Answer {
    let delay = if persona.manner == Manner::Slow { SLOWNESS } else { Duration::ZERO };
    let Persona { pod, image, revision, .. } = persona;
    if persona.manner == Manner::Fails {
        return Answer { status: 500, body: format!("{pod} of revision {revision} fails\n"), delay };
    }
    let body = match (&persona.colour, path) {
        (Some(colour), "/color") => format!("\"{colour}\""),
        (Some(colour), _) => format!("colour {colour}, pod {pod}, revision {revision}\n"),
        (None, _) => format!("image {image}, pod {pod}, revision {revision}\n"),
    };
    Answer { status: 200, body, delay }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;

    fn of(image: &str) -> Persona {
        let mut view = View::default();
        let set = json!({"metadata": {"namespace": "shop", "name": "web", "uid": "rs", "resourceVersion": "1",
            "annotations": {"rollout.argoproj.io/revision": "3"}}});
        view.applied(&Arc::from("replicasets.apps"), set);
        let pod = json!({
            "metadata": {"namespace": "shop", "name": "web-1", "labels": {"rollouts-pod-template-hash": "abc"},
                "ownerReferences": [{"kind": "ReplicaSet", "name": "web", "uid": "rs", "controller": true}]},
            "spec": {"containers": [{"image": image}]},
        });
        persona(&view, &Object::new(pod))
    }

    #[test]
    fn the_tag_of_the_demo_image_is_colour_and_manner() {
        for (image, colour, manner) in [
            ("argoproj/rollouts-demo:blue", Some("blue"), Manner::Fine),
            ("registry.example.com:5000/x/rollouts-demo:red@sha256:1", Some("red"), Manner::Fine),
            ("rollouts-demo:error", Some("error"), Manner::Fails),
            ("rollouts-demo:bad-red", Some("red"), Manner::Fails),
            ("rollouts-demo:slow", Some("slow"), Manner::Slow),
            ("rollouts-demo:slow-blue", Some("blue"), Manner::Slow),
            ("nginx:1.27", None, Manner::Fine),
            ("my-rollouts-demo-2:blue", None, Manner::Fine),
        ] {
            let persona = of(image);
            assert_eq!((persona.colour.as_deref(), persona.manner), (colour, manner), "{image}");
        }
    }

    #[test]
    fn answers_tell_colour_pod_and_revision() {
        let blue = of("rollouts-demo:blue");
        assert_eq!(answer(&blue, "/color").body, "\"blue\"");
        assert_eq!(answer(&blue, "/").body, "colour blue, pod web-1, revision 3\n");
        assert_eq!(answer(&of("nginx:1"), "/color").body, "image nginx:1, pod web-1, revision 3\n");
        assert_eq!(answer(&of("rollouts-demo:error"), "/").status, 500);
        assert_eq!(answer(&of("rollouts-demo:slow"), "/").delay, SLOWNESS);
    }

    #[test]
    fn without_a_number_the_hash_is_the_revision() {
        let pod = json!({"metadata": {"labels": {"pod-template-hash": "xyz"}}});
        assert_eq!(persona(&View::default(), &Object::new(pod)).revision, "xyz");
    }
}
