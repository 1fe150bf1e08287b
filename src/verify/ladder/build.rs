//! From `parsed` to `built`.

use std::{io::Write, time::Instant};

use super::{Reached, SHOWN, Site, failures::failure};
use crate::{
    plan::Component,
    verify::{
        Event,
        context::Context,
        engine::{BuildFailure, BuildRequest, Engine},
        instruction,
        log::last_lines,
        report::{Cause, ComponentReport, Failure},
    },
};

impl<E: Engine> Site<'_, E> {
    pub(super) async fn build(
        &self,
        component: &Component,
        report: &mut ComponentReport,
        progress: &mut dyn FnMut(Event),
    ) -> Reached<String> {
        progress(Event::Stage(format!("building {}", component.id)));
        let dockerfile = if self.plan.components.len() == 1 {
            "Dockerfile".to_owned()
        } else {
            format!("Dockerfile.{}", component.id)
        };
        let tag = if self.options.keep_image {
            format!("{}:dev", self.plan.object_name(&component.id))
        } else {
            format!(
                "longshore/{}-{}:{}",
                self.plan.name, component.id, self.run.id
            )
        };
        let secrets = component.build_secrets();
        if let Some(missing) = secrets
            .iter()
            .find(|secret| std::env::var_os(&secret.id).is_none())
        {
            let message = format!("the build needs the secret {}", missing.id);
            let hint = format!(
                "set the environment variable {} to the address of the mirror",
                missing.id
            );
            return Ok(Err(failure(
                Cause::MissingSecret,
                message,
                &missing.origin,
                Vec::new(),
                &[&hint],
            )));
        }
        let request = BuildRequest {
            secrets: secrets.iter().map(|secret| secret.id.clone()).collect(),
            context: Context::list(self.repository, self.artifacts)?,
            dockerfile: dockerfile.clone(),
            tag: tag.clone(),
            timeout: self.options.build_timeout,
        };
        let begun = Instant::now();
        // What is shown of the log is bounded; what is kept is all of it.
        let mut kept = self.log_file(&format!("{}-build", component.id));
        let mut watched = |event: Event| {
            if let Some((_, file)) = &mut kept {
                let _ = match &event {
                    Event::BuildStep { name, .. } => writeln!(file, "{name}"),
                    Event::Log(line) => writeln!(file, "{line}"),
                    Event::Stage(_) | Event::Reached(_) => Ok(()),
                };
            }
            progress(event);
        };
        let result = self.engine.build(self.run, request, &mut watched).await?;
        report.logs.extend(kept.map(|(path, _)| path));
        report.build_seconds = begun.elapsed().as_secs_f64();
        match result {
            Ok(built) => {
                report.image_id = Some(built.id);
                report.image_bytes = built.size;
                Ok(Ok(tag))
            }
            Err(broken) => Ok(Err(self.build_failure(&dockerfile, broken))),
        }
    }

    pub(super) fn build_failure(&self, dockerfile: &str, broken: BuildFailure) -> Failure {
        let artifact = self
            .artifacts
            .iter()
            .find(|artifact| artifact.path == dockerfile);
        let found = broken
            .step
            .as_deref()
            .zip(artifact)
            .and_then(|(step, artifact)| {
                Some((instruction::lines_of(&artifact.contents, step)?, artifact))
            });
        let (place, origins) = match found {
            Some(((first, last), artifact)) => {
                let origins = artifact
                    .origins
                    .range(first..=last)
                    .flat_map(|(_, origins)| origins);
                (
                    format!("{dockerfile}:{first}: "),
                    origins.cloned().collect(),
                )
            }
            None => (String::new(), Vec::new()),
        };
        let step = broken
            .step
            .as_deref()
            .map_or("the build", instruction::name_of);
        let message = format!("{place}`{step}` failed: {}", broken.message);
        failure(
            Cause::Build,
            message,
            &origins,
            last_lines(&broken.log, SHOWN),
            &[],
        )
    }
}
