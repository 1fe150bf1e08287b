//! How the application is called.

use crate::{
    name::{Label, slug},
    readme::{Document, Part},
    recipe::{Catalog, DeclaredFormat},
    repo,
    repo::Repo,
    select::Selection,
};

/// Returns the name in the `package.json` of a stack that reads it, a short first heading that is not
/// that of a section such as "Installation", or the folder's name. Of several components a manifest
/// names only itself, unless it lies at the top.
pub fn name(
    repo: &Repo,
    documents: &[Document],
    selections: &[Selection<'_>],
    catalog: &Catalog,
) -> String {
    let of_all = selections
        .first()
        .filter(|main| selections.len() == 1 || main.folder == ".");
    let folder_of = |selection: &Selection<'_>| {
        let workspace = selection.workspace.as_ref();
        workspace.map_or(selection.folder.clone(), |one| one.top.folder.clone())
    };
    // A workspace is called as its top is.
    let of_workspace = || selections.first().filter(|main| main.workspace.is_some());
    let from_manifest = of_all.or_else(of_workspace).and_then(|selection| {
        // Beside another stack it lists tools, and is called like them.
        let declared = &selection.stack.declared;
        let declared = declared
            .iter()
            .find(|declared| declared.format == DeclaredFormat::PackageJson)?;
        let path = repo::join(&folder_of(selection), &declared.file);
        let source = repo.source(&path)?;
        let json = jsonc_parser::parse_to_serde_value::<serde_json::Value>(
            &source.text,
            &jsonc_parser::ParseOptions::default(),
        )
        .ok()?;
        json.get("name")?
            .as_str()
            .map(|name| name.rsplit('/').next().unwrap_or(name).to_owned())
    });
    let from_heading = documents.first().and_then(|document| {
        let headings = document.parts.iter().find_map(|part| match part {
            Part::Code(block) => block.headings.first(),
            Part::Text(paragraph) => paragraph.headings.first(),
        })?;
        let is_short = headings.split_whitespace().count() <= 3 && headings.len() <= 30;
        let title = slug(headings).replace('-', " ");
        let is_section = catalog.list("prose", "sections").contains(&title);
        (is_short && !is_section).then(|| headings.to_string())
    });
    let from_folder = || {
        let path = repo
            .root()
            .canonicalize()
            .unwrap_or_else(|_| repo.root().to_owned());
        path.file_name()
            .map(|name| name.to_string_lossy().into_owned())
    };
    let usable = |name: &String| !slug(name).is_empty();
    let found = from_manifest
        .filter(usable)
        .or(from_heading.filter(usable))
        .or_else(from_folder);
    found
        .map(|name| slug(&name))
        .filter(|name| !name.is_empty())
        .map_or_else(
            || "app".to_owned(),
            |name| Label::<40>::of(&name).to_string(),
        )
}
