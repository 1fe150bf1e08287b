//! How long reading, planning and rendering take, on the sample that shows the most.

use std::path::Path;

use longshore::{convert, readme, recipe::Catalog, repo::Repo, step};

const SAMPLE: &str = "samples/the_readme_says_how_to_install_a_django_app/repo";

fn main() {
    divan::main();
}

/// The catalogue: read once for a run.
#[divan::bench]
fn catalog() -> Catalog {
    Catalog::built_in()
}

/// Walking the folder and taking the README apart.
#[divan::bench]
fn parse(bencher: divan::Bencher<'_, '_>) {
    let catalog = Catalog::built_in();
    bencher.bench(|| {
        let repo = Repo::open(Path::new(SAMPLE)).expect("opens").value;
        let documents = readme::documents(&repo, ".", &catalog.pages()).value;
        step::install_steps(&documents, &repo, &catalog).value.len()
    });
}

/// From the folder to the plan.
#[divan::bench]
fn plan(bencher: divan::Bencher<'_, '_>) {
    let catalog = Catalog::built_in();
    bencher.bench(|| {
        convert::plan(
            Path::new(SAMPLE),
            &catalog,
            longshore::config::Trust::Granted,
        )
        .expect("opens")
        .value
    });
}

/// From the plan to the files in memory.
#[divan::bench]
fn render(bencher: divan::Bencher<'_, '_>) {
    let plan = convert::plan(
        Path::new(SAMPLE),
        &Catalog::built_in(),
        longshore::config::Trust::Granted,
    )
    .expect("opens")
    .value;
    bencher.bench(|| convert::render(plan.clone()).expect("renders"));
}
