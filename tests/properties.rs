//! Whatever bytes a document holds: reading ends, every place lies inside its file, and each command
//! is in the ledger exactly once.

use std::{fs, sync::LazyLock};

use longshore::{convert, readme, recipe::Catalog, repo::Repo, step};
use proptest::prelude::*;

static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::built_in);

/// Pieces that documents are made of, broken in every way that joining them gives.
fn piece() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "# Installation\n",
        "## Run it\n",
        "== Läufe\n",
        "Install\n=======\n\n",
        "```sh\n",
        "```\n",
        "::\n\n",
        ".. code-block:: console\n\n",
        "[source,bash]\n----\n",
        "----\n",
        "    $ pip install -r requirements.txt\n",
        "    gunicorn app:app --bind 127.0.0.1:$PORT \\\n",
        "\texport PORT=80 && python app.py | tee log\n",
        "1. Run `npm install` or `yarn`, then npm start.\n",
        "cat > app.ini <<EOF\n[Service]\nExecStart=/srv/x/bin/gunicorn app:app\n",
        "EOF\n",
        "mysql> CREATE DATABASE é;\n",
        "make run\n",
        "sh ./run.sh $(cat x) `y` <your name>\n",
        "su - www -c \"bash -c 'cd /srv; ./run.sh'\"\n",
        "| `PORT` | 80 | the port |\n|---|---|---|\n",
        "* * * * * /srv/venv/bin/python app.py\n",
        "创建一个名为 shop 的数据库，运行 python app.py\n",
        "FLASK_APP=app.py flask run\n",
        "\u{0}\u{1b}[31m\u{feff}",
        "```\u{e000}\u{f8ff}",
        "${X:-$(}\n",
        "if true; then for x in 1 2; do echo $x; done\n",
    ]);
    prop_oneof![
        4 => known.prop_map(str::to_owned),
        1 => ".{0,40}".prop_map(|text: String| text),
        1 => "\\PC{0,20}\n",
    ]
}

fn names() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "README.md",
        "README.rst",
        "README.adoc",
        "README.txt",
        "README",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn any_document_is_read_and_accounted_for(name in names(), pieces in prop::collection::vec(piece(), 0..24)) {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |path: &str, text: &str| fs::write(folder.path().join(path), text).expect("written");
        write(name, &pieces.concat());
        write("requirements.txt", "flask\ngunicorn\n");
        write("app.py", "import os\nprint(os.environ['PORT'])\n");
        write("run.sh", "#!/bin/sh\nX=1\n./run.sh\nexec gunicorn app:app -b :$X\n");
        write("Makefile", "run: all\n\t@./run.sh $(X)\nall: run\n\t$(MAKE) run\n");

        let repo = Repo::open(folder.path()).expect("a folder").value;
        let documents = readme::documents(&repo, ".", &CATALOG.pages()).value;
        let steps = step::install_steps(&documents, &repo, &CATALOG).value;
        for step in &steps {
            prop_assert!(step.source.text.get(step.span.range()).is_some(), "{:?}", step);
        }
        let plan = convert::plan(folder.path(), &CATALOG, longshore::config::Trust::Granted).expect("a plan").value;
        let told: Vec<_> = steps.iter().map(|step| (&step.source.path, &step.text)).collect();
        let accounted: Vec<_> = plan.ledger.iter().map(|entry| (&entry.file, &entry.command)).collect();
        prop_assert_eq!(told, accounted);
        for entry in &plan.ledger {
            prop_assert!(entry.target.is_some() || entry.reason.is_some(), "{:?}", entry);
        }
        convert::render(plan).expect("files");
    }
}
