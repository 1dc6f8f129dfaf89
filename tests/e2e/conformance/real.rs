//! A real Kubernetes API, with the built controller as a process of its own.

use std::cell::RefCell;
use std::fs;
use std::path::Path;

use kube::Client;
use serin_clock::Clock;
use serin_cluster::kubelet::Background;
use serin_testbed::{ControlPlane, Held};

use crate::support;
use crate::world::{World, kubelet_settings};

pub(crate) struct Real {
    // Both end before the control plane does.
    controller: RefCell<Held>,
    _kubelet: Option<Background>,
    plane: ControlPlane,
}

impl Real {
    /// None, after saying why, where there is no control plane to be had.
    pub(crate) async fn start() -> Option<Self> {
        let plane = support::own_plane().await?;
        plane.install().await.unwrap();
        let kubelet = plane.start_kubelet(kubelet_settings()).await.unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_serin"));
        let controller = plane.start_controller(program, &[]).unwrap();
        Some(Self { controller: RefCell::new(controller), _kubelet: kubelet, plane })
    }
}

impl World for Real {
    const NAME: &'static str = "real";

    async fn client(&self) -> Result<Client, String> {
        self.plane.client().await.map_err(|error| error.to_string())
    }

    fn clock(&self) -> Clock {
        Clock::System
    }

    fn log(&self) -> String {
        fs::read_to_string(self.plane.directory().join("controller-1.log")).unwrap()
    }

    fn ended(&self) -> Option<String> {
        self.controller.borrow_mut().ended().unwrap().map(|status| status.to_string())
    }
}
