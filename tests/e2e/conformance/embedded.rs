//! The embedded cluster: API, actors, kubelet and controller in this process and on this thread, in virtual time.
//!
//! Nothing in it waits for anything but the other parts and the clock, which leaps to the next wait as soon as all parts
//! are idle. So pauses take no time, and the same scenario goes the same way each time, to the millisecond.

use std::io;
use std::sync::{Arc, LazyLock, Mutex};

use kube::Client;
use serin_clock::Clock;
use serin_cluster::actors::{self, ActorName};
use serin_cluster::api::request::{Request, Response, Target, Verb};
use serin_cluster::api::store::{Settings, Store};
use serin_cluster::http::Front;
use serin_cluster::kubelet;
use serin_controller::run::Work;
use serin_core::api::schema::all_crds;
use serin_values::random::Rng;
use tokio::runtime::Builder;
use tokio::task::{JoinHandle, JoinSet};
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

use crate::world::{World, kubelet_settings};

/// When everything begins.
const BEGINNING: &str = "2026-01-01T00:00:00Z";

pub(crate) struct Embedded {
    client: Client,
    clock: Clock,
    log: Log,
    controller: JoinHandle<String>,
    _actors: JoinSet<()>,
    _logging: DefaultGuard,
}

/// An API that knows our kinds. To read their definitions takes longer than to play a scenario.
static DEFINED: LazyLock<Store> = LazyLock::new(|| {
    let now = BEGINNING.parse().unwrap();
    let mut store = Store::new(&Settings::default(), now);
    for definition in all_crds() {
        let target = Target {
            group: "apiextensions.k8s.io".to_owned(),
            version: "v1".to_owned(),
            resource: "customresourcedefinitions".to_owned(),
            ..Target::default()
        };
        let body = serde_json::to_value(definition).unwrap();
        let request = Request { verb: Verb::Create, target, body, ..Request::default() };
        let answer = store.handle(&request, now);
        assert!(matches!(answer, Response::Done { .. }), "{answer:?}");
    }
    store
});

impl Embedded {
    /// Runs something in a world of its own.
    pub(crate) fn run<T>(something: impl AsyncFnOnce(Self) -> T) -> T {
        let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async { something(Self::start()).await })
    }

    fn start() -> Self {
        let clock = Clock::starting_at(BEGINNING.parse().unwrap());
        let log = Log::default();
        let logging = log.clone().begin(clock);
        let client = Front::new(DEFINED.clone(), clock).client("default");
        let mut actors = JoinSet::new();
        actors.spawn(actors::run(client.clone(), ActorName::all(), clock));
        actors.spawn(kubelet::run(client.clone(), kubelet_settings(), clock));
        let work = Work::alone(client.clone(), clock, Rng::seeded(0));
        let controller = tokio::spawn(async {
            let ended = work.until(std::future::pending()).await;
            format!("{ended:?}")
        });
        Self { client, clock, log, controller, _actors: actors, _logging: logging }
    }
}

impl World for Embedded {
    const NAME: &'static str = "embedded";

    async fn client(&self) -> Result<Client, String> {
        Ok(self.client.clone())
    }

    fn clock(&self) -> Clock {
        self.clock
    }

    fn log(&self) -> String {
        String::from_utf8(self.log.0.lock().unwrap().clone()).unwrap()
    }

    fn ended(&self) -> Option<String> {
        self.controller.is_finished().then(|| "it returned or panicked".to_owned())
    }
}

/// What is logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Logs as the controller does, with virtual times.
    fn begin(self, clock: Clock) -> DefaultGuard {
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new("off,serin_controller=info"))
            .with_ansi(false)
            .with_target(false)
            .with_timer(Time(clock))
            .with_writer(move || self.clone())
            .finish();
        tracing::subscriber::set_default(subscriber)
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Time(Clock);

impl FormatTime for Time {
    fn format_time(&self, writer: &mut Writer<'_>) -> std::fmt::Result {
        write!(writer, "{}", self.0.now())
    }
}
