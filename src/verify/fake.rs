//! An engine that plays a script, for tests of the ladder.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use super::{
    Event,
    engine::{
        Answer, BuildFailure, BuildRequest, Built, Change, ChangeKind, ContainerSpec, Engine,
        EngineError, Executed, GrpcHealth, ImageInfo, Run, State, Usage,
    },
    load::Ramp,
};
use crate::plan::Load;

/// What the engine says; each field holds what a test wants to be different.
#[derive(Default)]
pub struct Fake {
    /// The build fails like this.
    pub build: Option<BuildFailure>,
    /// Containers that cannot be started: end of the name → why.
    pub unstartable: BTreeMap<&'static str, &'static str>,
    /// Containers that have ended: end of the name → exit code.
    pub ended: BTreeMap<&'static str, i64>,
    /// Address and port that the application listens on, as in `/proc/net/tcp`; empty for none.
    pub listens: &'static str,
    /// Images that cannot be had.
    pub absent: Vec<&'static str>,
    /// Whether the sockets cannot be looked at.
    pub is_blind: bool,
    /// Path → answers, one after the other; the last one stays.
    pub answers: RefCell<BTreeMap<&'static str, VecDeque<Answer>>>,
    /// What is said of a path without an entry, in place of a refused connection.
    pub silence: Option<&'static str>,
    /// What the port says to the health check of gRPC, one after the other; the last one stays.
    pub grpc: RefCell<VecDeque<GrpcHealth>>,
    /// What containers changed beside two files: end of the name → path, kind.
    pub changes: BTreeMap<&'static str, Vec<(&'static str, ChangeKind)>>,
    /// What a command in a container prints that asks what may be written.
    pub unwritable: &'static str,
    /// Exit code of every command that is run in a container.
    pub exec: i64,
    /// What every container prints.
    pub log: &'static str,
    /// Whether the application ends after it answered.
    pub dies_later: bool,
    /// Whether it heeds the request to stop.
    pub ignores_stop: bool,
    /// What a ramp finds.
    pub load: Option<Load>,
    /// How often the use of a container was asked for.
    pub usages: Cell<u64>,
    /// What was asked of the engine, in order.
    pub calls: RefCell<Vec<String>>,
    /// The containers that were created.
    pub specs: RefCell<Vec<ContainerSpec>>,
}

impl Fake {
    fn note(&self, call: impl Into<String>) {
        self.calls.borrow_mut().push(call.into());
    }

    fn of<'a, T>(table: &'a BTreeMap<&'static str, T>, id: &str) -> Option<&'a T> {
        table
            .iter()
            .find(|(name, _)| id.ends_with(**name))
            .map(|(_, value)| value)
    }
}

impl Engine for Fake {
    async fn ensure_image(&self, image: &str) -> Result<ImageInfo, EngineError> {
        if self.absent.contains(&image) {
            return Err(EngineError::NoImage {
                image: image.to_owned(),
                cause: "no such manifest".to_owned(),
            });
        }
        Ok(ImageInfo {
            stand_in: image.starts_with("stand-in"),
        })
    }

    async fn build(
        &self,
        _: &Run,
        request: BuildRequest,
        progress: &mut dyn FnMut(Event),
    ) -> Result<Result<Built, BuildFailure>, EngineError> {
        self.note(format!("build {}", request.dockerfile));
        progress(Event::Log("a line of the build".to_owned()));
        Ok(match &self.build {
            Some(failure) => Err(failure.clone()),
            None => Ok(Built {
                id: "sha256:1".into(),
                size: 1,
                log: String::new(),
            }),
        })
    }

    async fn create_network(&self, _: &Run) -> Result<(), EngineError> {
        Ok(())
    }

    async fn create_volume(&self, _: &Run, name: &str) -> Result<String, EngineError> {
        Ok(name.to_owned())
    }

    async fn create(&self, _: &Run, spec: &ContainerSpec) -> Result<String, EngineError> {
        self.specs.borrow_mut().push(spec.clone());
        Ok(spec.name.clone())
    }

    async fn copy_in(&self, id: &str, folder: &str, _: Vec<u8>) -> Result<(), EngineError> {
        self.note(format!("copy into {id}:{folder}"));
        Ok(())
    }

    async fn start(&self, id: &str) -> Result<Result<(), String>, EngineError> {
        self.note(format!("start {id}"));
        Ok(Self::of(&self.unstartable, id).map_or(Ok(()), |why| Err((*why).to_owned())))
    }

    async fn state(&self, id: &str) -> Result<State, EngineError> {
        let has_answered = self
            .calls
            .borrow()
            .iter()
            .any(|call| call.starts_with("get "));
        let died = (self.dies_later && has_answered).then_some(9);
        let exit_code = Self::of(&self.ended, id)
            .copied()
            .or(died.filter(|_| id.ends_with("-app")));
        Ok(State {
            running: exit_code.is_none(),
            exit_code,
            out_of_memory: exit_code == Some(137),
            published: [(8000, 1)].into(),
        })
    }

    async fn exec(&self, id: &str, command: &[String]) -> Result<Executed, EngineError> {
        self.note(format!("exec in {id}: {}", command.join(" ")));
        let output = match command.iter().any(|word| word.contains("-w")) {
            true => self.unwritable,
            false => self.log,
        };
        Ok(Executed {
            exit_code: Some(self.exec),
            output: output.to_owned(),
        })
    }

    async fn sockets(&self, _: &str) -> Result<Option<String>, EngineError> {
        Ok((!self.is_blind).then(|| format!("0: {} 00000000:0000 0A", self.listens)))
    }

    async fn logs(&self, _: &str) -> Result<String, EngineError> {
        Ok(self.log.to_owned())
    }

    /// 40 ms of CPU time in each second and 500 ms for a ramp, and a memory that shrinks after the start.
    async fn usage(&self, _: &str) -> Result<Usage, EngineError> {
        let seen = self.usages.get();
        self.usages.set(seen + 1);
        let ramped = self
            .calls
            .borrow()
            .iter()
            .any(|call| call.starts_with("ramp "));
        Ok(Usage {
            memory: (30 << 20) - (10 << 20) * seen.min(1),
            peak_memory: 30 << 20,
            cpu: Duration::from_millis(100 + 40 * seen + if ramped { 500 } else { 0 }),
            at: Duration::from_secs(seen),
        })
    }

    async fn ramp(&self, ramp: &Ramp) -> Load {
        self.note(format!("ramp {} {}{}", ramp.port, ramp.host, ramp.path));
        self.load.clone().expect("the test gives a load")
    }

    async fn changes(&self, id: &str) -> Result<Vec<Change>, EngineError> {
        let change = |path: &str, kind| Change {
            path: path.to_owned(),
            kind,
        };
        let mut changes = vec![
            change("/srv/x", ChangeKind::Added),
            change("/tmp/x", ChangeKind::Added),
        ];
        let further = Self::of(&self.changes, id).into_iter().flatten();
        changes.extend(further.map(|(path, kind)| change(path, *kind)));
        Ok(changes)
    }

    async fn is_folder(&self, _: &str, path: &str) -> Result<bool, EngineError> {
        Ok(path.ends_with("-folder"))
    }

    async fn stop(&self, id: &str, _: Duration) -> Result<Option<Duration>, EngineError> {
        self.note(format!("stop {id}"));
        Ok((!self.ignores_stop).then_some(Duration::from_millis(7)))
    }

    async fn get(
        &self,
        _: u16,
        path: &str,
        host: &str,
        cookies: &[String],
    ) -> Result<Answer, String> {
        self.note(format!("get {host}{path} {}", cookies.join(";")).trim_end());
        let mut answers = self.answers.borrow_mut();
        let silence = self.silence.unwrap_or("connection refused");
        let queue = answers.get_mut(path).ok_or(silence)?;
        let next = if queue.len() > 1 {
            queue.pop_front()
        } else {
            queue.front().cloned()
        };
        next.ok_or_else(|| "connection refused".to_owned())
    }

    async fn grpc_health(&self, _: u16) -> Result<GrpcHealth, String> {
        self.note("grpc");
        let mut said = self.grpc.borrow_mut();
        let next = said.pop_front().ok_or("connection reset")?;
        if said.is_empty() {
            said.push_back(next);
        }
        Ok(next)
    }

    async fn remove_run(&self, _: &str, _: bool) -> Result<(), EngineError> {
        Ok(())
    }

    async fn sweep(&self) {}
}
