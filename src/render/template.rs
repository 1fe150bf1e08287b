//! The templates: the one door to minijinja.

use std::sync::LazyLock;

use anyhow::Context;
use include_dir::{Dir, include_dir};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, syntax::SyntaxConfig, value::Serde};
use serde::Serialize;

use crate::quote::yaml::Laid;

/// Defines views of a template in the place `$place`: the compiler refuses a field whose type is
/// not [`Laid`], such as `String`.
macro_rules! views {
    ($place:ty: $(
        $(#[$meta:meta])*
        struct $name:ident { $($(#[$about:meta])* $field:ident: $kind:ty,)* }
    )*) => {
        $(
            $(#[$meta])*
            #[derive(serde::Serialize)]
            struct $name { $($(#[$about])* $field: $kind,)* }

            impl $crate::quote::yaml::Laid<$place> for $name
            where
                $($kind: $crate::quote::yaml::Laid<$place>,)*
            {
            }
        )*
    };
}
pub(super) use views;

static TEMPLATES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates");

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build();
    environment.set_syntax(syntax.expect("the delimiters differ"));
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    for file in files(&TEMPLATES) {
        let name = file.path().to_string_lossy().into_owned();
        let text = file.contents_utf8().expect("templates are UTF-8");
        environment
            .add_template_owned(name, text)
            .expect("a test lays out every template");
    }
    environment
});

fn files<'a>(folder: &'a Dir<'a>) -> Vec<&'a include_dir::File<'a>> {
    let inner = folder.dirs().flat_map(files);
    folder.files().chain(inner).collect()
}

/// Lays out the template `name` with `view`.
///
/// # Errors
///
/// When the template uses what the view does not offer.
pub fn lay_out(name: &str, view: &impl Serialize) -> anyhow::Result<String> {
    let template = ENVIRONMENT
        .get_template(name)
        .with_context(|| format!("no template `{name}`"))?;
    template
        .render(Serde(view))
        .with_context(|| format!("failed to lay out `{name}`"))
}

/// Lays out the template `name` of the place `P` with `view`, which holds nothing that may not stand there.
///
/// # Errors
///
/// When the template uses what the view does not offer.
pub fn lay_out_typed<P>(name: &str, view: &(impl Serialize + Laid<P>)) -> anyhow::Result<String> {
    lay_out(name, view)
}
