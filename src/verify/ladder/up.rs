//! From `started` over `listening` to `answers`.

use std::time::{Duration, Instant};

use super::{
    Network, PERIOD, Reached, Site,
    answers::{HttpAnswer, Spoken},
    measure::milliseconds,
    reach,
};
use crate::{
    plan::{Component, Correction, Measured, Protocol},
    verify::{
        Event, correct,
        engine::Engine,
        http,
        listening::listeners,
        load,
        log::last_lines,
        patience::Patience,
        report::{Answered, ComponentReport, Rung},
    },
};

/// How many lines of its output are evidence.
const OUTPUT: usize = 20;
/// How long a program must run to count as started, unless it listens before that.
const MOMENT: Duration = Duration::from_secs(1);
/// How long a program without a port must stay up to count as running.
const STAYS_UP: Duration = Duration::from_secs(5);

impl<E: Engine> Site<'_, E> {
    /// From `started` to `answers`.
    pub(super) async fn up(
        &self,
        component: &Component,
        id: &str,
        network: &Network,
        begun: Instant,
        report: &mut ComponentReport,
        progress: &mut dyn FnMut(Event),
    ) -> Reached<()> {
        let Some(port) = component.main_port() else {
            return self
                .without_port(component, id, begun, report, progress)
                .await;
        };
        let mut patience = Patience::new(begun, self.options.start_timeout);
        let mut peak = 0;
        // Started, and listening where it should.
        let listening = loop {
            let state = self.engine.state(id).await?;
            if !state.running {
                return Ok(Err(self.ended(component, id, &state).await?));
            }
            let Some(tables) = self.engine.sockets(id).await? else {
                report.notes.push(
                    "its sockets cannot be looked at from here; only its answer counts".to_owned(),
                );
                break Vec::new();
            };
            let mut found = listeners(&tables);
            found.retain(|listener| !network.others.contains(listener));
            if found
                .iter()
                .any(|listener| listener.port == port.port && !listener.is_local())
            {
                report.rung = Rung::Listening;
                progress(Event::Reached(format!(
                    "listening on {} after {} ms",
                    port.port,
                    milliseconds(begun.elapsed())
                )));
                break found;
            }
            if begun.elapsed() > MOMENT {
                report.rung = Rung::Started;
            }
            if self.is_over(&mut patience, id).await {
                report.rung = Rung::Started;
                report.proposed.extend(correct::port(port.port, &found));
                return Ok(Err(self
                    .not_listening(component, id, port.port, &found, patience.limit())
                    .await?));
            }
            tokio::time::sleep(PERIOD).await;
        };

        let spoken = match port.protocol {
            Protocol::Http => {
                self.answer(component, id, network, &mut patience, &mut peak)
                    .await
            }
            Protocol::Grpc | Protocol::Tcp => {
                self.connection(component, id, network, &mut patience).await
            }
        };
        let protocol = match reach!(spoken) {
            Spoken::Http(spoken) => {
                let HttpAnswer { answer, notes } = *spoken;
                report.notes.extend(notes);
                progress(Event::Reached(format!(
                    "{} gave {} after {} ms",
                    answer.path,
                    answer.status,
                    milliseconds(begun.elapsed())
                )));
                if !answer.proven {
                    report.notes.push(unproven(&answer));
                }
                report.answer = Some(answer);
                Protocol::Http
            }
            Spoken::Grpc => {
                let said = "grpc.health.v1 says that it serves".to_owned();
                progress(Event::Reached(said.clone()));
                report.notes.push(format!("speaks gRPC: {said}"));
                Protocol::Grpc
            }
            Spoken::GrpcUnchecked => {
                report.notes.push(format!(
                    "speaks gRPC without grpc.health.v1: that it listens on {} is its answer",
                    port.port
                ));
                Protocol::Tcp
            }
            Spoken::Other => {
                report.notes.push(format!(
                    "speaks no HTTP: that it listens on {} is its answer",
                    port.port
                ));
                Protocol::Tcp
            }
        };
        if protocol != port.protocol {
            report.corrections.push(Correction::Protocol {
                port: port.port,
                protocol,
            });
        }
        let startup = begun.elapsed();
        report.rung = Rung::Answers;
        let measured = self.measured(component, id, startup, peak).await?;
        // Not before: the load's CPU time is none of the start, nor of an idle program.
        let target = load::Target {
            id,
            owner: &network.owner,
        };
        let load = load::measure(
            self.engine,
            component,
            target,
            self.options,
            report,
            progress,
        )
        .await?;
        let is_loaded = load.is_some();
        let mut measured = Measured {
            listening: listening.iter().map(ToString::to_string).collect(),
            load,
            ..measured
        };
        if is_loaded {
            let peak = self.peak_memory(id).await;
            measured.peak_memory_bytes = measured.peak_memory_bytes.max(peak);
            measured.written = self.written(component, id).await?;
        }
        report.measured = Some(measured);
        Ok(Ok(()))
    }

    /// Returns whether the time of the program in container `id` is over.
    pub(super) async fn is_over(&self, patience: &mut Patience, id: &str) -> bool {
        let used = async || self.engine.usage(id).await.unwrap_or_default().cpu;
        patience.is_over(used).await
    }

    /// A program without a port answers by ending with 0, or by staying up.
    pub(super) async fn without_port(
        &self,
        component: &Component,
        id: &str,
        begun: Instant,
        report: &mut ComponentReport,
        progress: &mut dyn FnMut(Event),
    ) -> Reached<()> {
        loop {
            let state = self.engine.state(id).await?;
            let ended_well = !state.running && state.exit_code == Some(0);
            let stays_up = state.running && begun.elapsed() > STAYS_UP;
            if state.running && begun.elapsed() > MOMENT {
                report.rung = Rung::Started;
            }
            if ended_well || stays_up {
                report.rung = Rung::Answers;
                let what = if ended_well {
                    "ended with 0"
                } else {
                    "stays up"
                };
                report
                    .notes
                    .push(format!("a program without a port: it {what}"));
                progress(Event::Reached(what.to_owned()));
                report.output = last_lines(&self.engine.logs(id).await?, OUTPUT);
                let startup = begun.elapsed();
                report.measured = Some(if stays_up {
                    self.measured(component, id, startup, 0).await?
                } else {
                    self.measured_once(component, id, startup).await?
                });
                return Ok(Ok(()));
            }
            if !state.running && state.exit_code.is_some() {
                report.output = last_lines(&self.engine.logs(id).await?, OUTPUT);
                return Ok(Err(self.ended(component, id, &state).await?));
            }
            tokio::time::sleep(PERIOD).await;
        }
    }
}

fn unproven(answer: &Answered) -> String {
    if http::is_nothing(answer.status) {
        return format!(
            "answers with {} on every path tried, which is no probe; manifests ask for the open port instead",
            answer.status
        );
    }
    format!(
        "`{}` answers with {}, which is no probe; manifests ask for the open port instead",
        answer.path, answer.status
    )
}
