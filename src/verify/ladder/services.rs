//! Backing services, which are up and healthy before anything of the application starts.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::{Reached, SHOWN, Site, Started, failures::failure, reach};
use crate::{
    plan::Service,
    repo::file_name,
    verify::{
        Event, context,
        engine::{ContainerSpec, Engine, Executed},
        log::last_lines,
        patience::Patience,
        report::{Cause, ComponentReport},
    },
};

/// How often a service's health check runs.
const HEALTH_PERIOD: Duration = Duration::from_millis(250);
/// How long one health check may take.
const HEALTH_PATIENCE: Duration = Duration::from_secs(10);

impl<E: Engine> Site<'_, E> {
    /// Starts a service and waits until its health check succeeds.
    pub(super) async fn service(
        &self,
        service: &Service,
        started: &mut Started,
        report: &mut ComponentReport,
        progress: &mut dyn FnMut(Event),
    ) -> Reached<String> {
        progress(Event::Stage(format!("starting {}", service.kind)));
        let owner = self.plan.network_owner().filter(|_| service.is_local());
        let owns = owner.is_some_and(|owner| owner.kind == service.kind);
        let mut aliases = vec![service.kind.clone()];
        aliases.extend(
            Some(service.host_name())
                .filter(|name| *name != service.kind)
                .map(str::to_owned),
        );
        let mut publish = Vec::new();
        let guests = self.plan.components.iter();
        for guest in guests.filter(|guest| owns && guest.shares_network()) {
            aliases.extend(self.aliases(guest));
            publish.extend(self.published(guest));
        }
        let mut volumes = BTreeMap::new();
        if let Some(folder) = service.socket() {
            let name = format!("{}-socket", service.kind);
            let name = self.engine.create_volume(self.run, &name).await?;
            volumes.insert(name.clone(), folder.to_owned());
            started.sockets.insert(service.kind.clone(), name);
        }
        let spec = ContainerSpec {
            name: service.kind.clone(),
            aliases,
            shares_network_of: owner
                .filter(|_| !owns)
                .and_then(|owner| started.services.get(&owner.kind).cloned()),
            publish,
            volumes,
            entrypoint: Some(service.entrypoint.clone()).filter(|words| !words.is_empty()),
            command: Some(service.command.clone()).filter(|command| !command.is_empty()),
            image: service.image.clone(),
            env: self.secrets.fill_all(&service.settings),
            ..ContainerSpec::default()
        };
        let id = self.engine.create(self.run, &spec).await?;
        if let Some(folder) = &service.init_directory {
            let mut files = Vec::new();
            for (index, path) in service.init.iter().enumerate() {
                let bytes = context::read_inside(self.repository, path)?;
                files.push((format!("{index:02}-{}", file_name(path)), bytes));
            }
            // Copied, not mounted: the engine may be on another machine.
            if !files.is_empty() {
                self.engine
                    .copy_in(&id, folder, context::files(&files)?)
                    .await?;
            }
        }
        let what = format!("the service {} cannot be started", service.kind);
        reach!(
            self.start(&id, Cause::Service, &what, &service.origin)
                .await
        );
        let begun = Instant::now();
        let mut patience = Patience::new(begun, self.options.start_timeout);
        let trouble = loop {
            let state = self.engine.state(&id).await?;
            if state.running {
                let check = self.engine.exec(&id, &service.healthcheck);
                let check = tokio::time::timeout(HEALTH_PATIENCE, check).await;
                if check.unwrap_or_else(|_| Ok(Executed::default()))?.exit_code == Some(0) {
                    let seconds = begun.elapsed().as_secs_f64();
                    progress(Event::Reached(format!(
                        "{} healthy after {seconds:.1} s",
                        service.kind
                    )));
                    return Ok(Ok(id));
                }
            }
            if !state.running && state.exit_code.is_some() {
                break format!(
                    "ended with {} while starting",
                    state.exit_code.unwrap_or(-1)
                );
            }
            if self.is_over(&mut patience, &id).await {
                break format!(
                    "is not healthy after {} seconds",
                    patience.limit().as_secs()
                );
            }
            tokio::time::sleep(HEALTH_PERIOD).await;
        };
        report.logs.extend(self.keep_log(&service.kind, &id).await);
        let log = last_lines(&self.engine.logs(&id).await?, SHOWN);
        let message = format!("the service {} {trouble}", service.kind);
        Ok(Err(failure(
            Cause::Service,
            message,
            &service.origin,
            log,
            &[],
        )))
    }
}
