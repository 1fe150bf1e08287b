//! No secret that a repository holds is in anything that longshore says or writes.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use longshore::{config::Trust, convert, recipe::Catalog};
use sha2::{Digest, Sha256};

/// A secret as it is written somewhere. It is made when the test runs, so that nothing that looks for
/// secrets finds one in this file.
struct Case {
    kind: &'static str,
    /// A line of shell with it.
    command: String,
    /// The value of a setting with it, where there is such a thing.
    value: Option<String>,
    secret: String,
}

/// Returns `length` letters and digits that are those of `seed` alone.
fn random(seed: &str, length: usize) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
    let mut text = "k7Q".to_owned();
    for round in 0.. {
        let digest = Sha256::digest(format!("{seed} {round}"));
        let letter = |byte: &u8| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]);
        text.extend(digest.iter().map(letter));
        if text.len() >= length {
            break;
        }
    }
    text.truncate(length);
    text
}

/// Returns one case of each kind; the secrets of two places differ.
fn cases(place: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |kind, form: &str, value: Option<&str>, parts: &[&str], length| {
        let secret = parts.concat() + &random(&format!("{kind} {place}"), length);
        cases.push(Case {
            kind,
            command: form.replace("{}", &secret),
            value: value.map(|value| value.replace("{}", &secret)),
            secret,
        });
    };
    let export = "export SETTING={}";
    add(
        "user of a URL",
        "git clone https://me:{}@git.corp/a/b.git",
        Some("https://me:{}@h/x"),
        &[],
        14,
    );
    add(
        "user of a URL in quotes",
        "wget 'https://me:{}@files.corp/a.zip'",
        Some("smtp://me:{}@mail.corp:25"),
        &[],
        14,
    );
    add(
        "AWS key id",
        "export AWS_ACCESS_KEY_ID={}",
        Some("{}"),
        &["AK", "IA"],
        16,
    );
    add(
        "AWS secret",
        "aws configure set aws_secret_access_key {}",
        None,
        &[],
        40,
    );
    add(
        "GitHub",
        "npm install https://{}@github.com/a/b.git",
        Some("{}"),
        &["gh", "p_"],
        36,
    );
    add(
        "GitHub, fine-grained",
        export,
        Some("{}"),
        &["github", "_pat_"],
        50,
    );
    add("GitLab", export, Some("{}"), &["glp", "at-"], 20);
    add("Slack", export, Some("{}"), &["xo", "xb-"], 40);
    add(
        "Slack's hook",
        "curl -X POST https://{}",
        Some("https://{}"),
        &["hooks.slack", ".com/services/T0/B0/"],
        24,
    );
    add("Stripe", export, Some("{}"), &["sk_", "live_"], 24);
    add(
        "npm",
        "echo '//registry.corp/:_authToken={}' > .npmrc",
        Some("{}"),
        &["np", "m_"],
        36,
    );
    add(
        "PyPI",
        "twine upload -u __token__ -p {} dist/*",
        Some("{}"),
        &["pypi", "-AgE"],
        60,
    );
    add("Google", export, Some("{}"), &["AI", "za"], 35);
    add("Google's client", export, Some("{}"), &["GOC", "SPX-"], 28);
    add(
        "JWT",
        "curl -H 'X-Thing: {}' http://localhost:3000/",
        Some("{}"),
        &["ey", "JhbGciOiJIUzI1NiJ9", ".", "ey", "JzdWIiOiIxIn0", "."],
        43,
    );
    add(
        "PEM",
        "printf '-----BEGIN RSA PRIVATE KEY-----\\n{}\\n-----END RSA PRIVATE KEY-----\\n' > a.pem",
        Some("\"-----BEGIN RSA PRIVATE KEY-----{}-----END RSA PRIVATE KEY-----\""),
        &[],
        64,
    );
    add(
        "Basic",
        "curl -H 'Authorization: Basic {}' http://localhost:3000/",
        Some("Basic {}"),
        &[],
        20,
    );
    add(
        "Bearer",
        "curl -H \"Authorization: Bearer {}\" http://localhost:3000/",
        Some("Bearer {}"),
        &[],
        30,
    );
    add("flag and word", "node a.js --password {}", None, &[], 12);
    add("flag with a sign", "node a.js --api-key={}", None, &[], 12);
    add("mysql -p", "mysql -u root -p{} shop", None, &[], 12);
    add(
        "mysql -p with quotes",
        "mysql -u root -p'{}' -e 'create database shop'",
        None,
        &[],
        12,
    );
    add(
        "mysql on two lines",
        "mysqldump -u root \\\n  -p{} shop",
        None,
        &[],
        12,
    );
    add("redis-cli -a", "redis-cli -a {} ping", None, &[], 12);
    add("mongosh -p", "mongosh -u root -p {}", None, &[], 12);
    add(
        "curl -u",
        "curl -u admin:{} http://localhost:3000/",
        None,
        &[],
        12,
    );
    add(
        "curl -u as one word",
        "curl -uadmin:{} http://localhost:3000/",
        None,
        &[],
        12,
    );
    add(
        "docker login",
        "docker login -u me -p {} registry.corp",
        None,
        &[],
        12,
    );
    add("PGPASSWORD", "PGPASSWORD={} psql -h db shop", None, &[], 12);
    add(
        "connection string",
        "npx migrate --url=postgres://app:{}@db/shop",
        Some("postgresql://app:{}@db.corp/shop"),
        &[],
        16,
    );
    add(
        "connection string of MongoDB",
        "mongosh mongodb+srv://app:{}@db.corp/shop",
        Some("mongodb+srv://app:{}@db.corp/shop"),
        &[],
        16,
    );
    add(
        "connection string of ADO",
        "dotnet run --db 'Server=db;User=sa;Password={};'",
        Some("Server=db.corp;User=sa;Password={};"),
        &[],
        16,
    );
    add("assignment", "SECRET_KEY={} npm start", None, &[], 18);
    add(
        "assignment in a file",
        "echo JWT_SECRET={} >> .env",
        None,
        &[],
        18,
    );
    cases
}

struct Place {
    keep: tempfile::TempDir,
    repository: PathBuf,
    secrets: Vec<(String, String)>,
}

fn place() -> Place {
    let keep = tempfile::tempdir().expect("a folder");
    let repository = keep.path().join("shop");
    let place = Place {
        keep,
        repository,
        secrets: Vec::new(),
    };
    let package = r#"{"name": "shop", "scripts": {"start": "node a.js"}, "dependencies": {"express": "4.18.2"}}"#;
    place.write("package.json", package);
    place.write("a.js", "require('express')().listen(3000)\n");
    place
}

impl Place {
    fn write(&self, path: &str, text: &str) {
        let path = self.repository.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }

    fn add(&mut self, place: &str, cases: Vec<Case>) -> Vec<Case> {
        let named = |case: &Case| (format!("{} in {place}", case.kind), case.secret.clone());
        self.secrets.extend(cases.iter().map(named));
        cases
    }

    fn run(&self, arguments: &[&str]) -> String {
        let run = Command::new(env!("CARGO_BIN_EXE_longshore"))
            .args(arguments)
            .env("XDG_CONFIG_HOME", self.keep.path().join("config"))
            .output()
            .expect("runs");
        let code = run.status.code();
        assert!(matches!(code, Some(0 | 1)), "{arguments:?}: {run:?}");
        String::from_utf8_lossy(&run.stdout).into_owned() + &String::from_utf8_lossy(&run.stderr)
    }

    /// Plans, converts and compares, and returns what was said and the files by name.
    fn everything(&self) -> (String, Vec<(String, String)>) {
        let repository = self.repository.display().to_string();
        let output = self.keep.path().join("out");
        let shown = output.display().to_string();
        let said = self.run(&["plan", &repository]);
        let mut texts = vec![
            ("plan".to_owned(), said.clone()),
            (
                "JSON".to_owned(),
                self.run(&["plan", "--format", "json", &repository]),
            ),
            (
                "convert".to_owned(),
                self.run(&["convert", &repository, "--output", &shown]),
            ),
        ];
        for file in files(&output) {
            let name = file
                .strip_prefix(&output)
                .expect("below")
                .display()
                .to_string();
            if name == "Dockerfile" {
                texts.push((
                    "explain".to_owned(),
                    self.run(&["explain", &repository, &name]),
                ));
            }
            texts.push((name.clone(), fs::read_to_string(&file).unwrap_or_default()));
            texts.push(("names".to_owned(), name));
        }
        // What a person writes into a generated file is compared, and not shown.
        let dockerfile = output.join("Dockerfile");
        let mut edited = fs::read_to_string(&dockerfile).expect("written");
        for case in cases("Dockerfile") {
            let _ = writeln!(edited, "RUN {}", case.command);
        }
        fs::write(&dockerfile, edited).expect("written");
        let arguments = ["convert", &repository, "--output", &shown];
        texts.push((
            "differences".to_owned(),
            self.run(&[&arguments[..], &["--check"]].concat()),
        ));
        texts.push(("kept".to_owned(), self.run(&arguments)));
        (said, texts)
    }

    #[track_caller]
    fn check(&self, texts: &[(String, String)]) {
        let mut leaks = String::new();
        for (kind, secret) in &self.secrets {
            for (name, text) in texts
                .iter()
                .filter(|(_, text)| text.contains(secret.as_str()))
            {
                let line = text.lines().find(|line| line.contains(secret.as_str()));
                let _ = writeln!(leaks, "{kind}: {name}: {}", line.unwrap_or_default());
            }
        }
        assert!(leaks.is_empty(), "{leaks}");
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(folder).into_iter().flatten();
    let files = entries.filter(|entry| entry.file_type().is_file());
    files.map(walkdir::DirEntry::into_path).collect()
}

#[test]
fn no_command_of_a_document_shows_its_secrets() {
    let mut place = place();
    let cases = place.add("README.md", cases("README.md"));
    place.add("Dockerfile", self::cases("Dockerfile"));
    let commands: Vec<&str> = cases.iter().map(|case| case.command.as_str()).collect();
    let readme = format!(
        "# Shop\n\n```sh\nnpm install\n{}\nnpm start\n```\n",
        commands.join("\n")
    );
    place.write("README.md", &readme);
    let (said, texts) = place.everything();
    place.check(&texts);
    let mut line = 5;
    for case in &cases {
        let at = case
            .command
            .lines()
            .position(|line| line.contains(&case.secret));
        let stands = format!(
            "a secret stands in `README.md`, line {}\n",
            line + at.expect("there")
        );
        assert!(said.contains(&stands), "{}: {stands}", case.kind);
        line += case.command.lines().count();
    }
}

#[test]
fn no_setting_of_a_file_or_a_source_shows_its_secrets() {
    let mut place = place();
    let mut source = "require('express')().listen(3000)\n".to_owned();
    let mut example = String::new();
    for (number, case) in place
        .add(".env.example", cases(".env.example"))
        .iter()
        .enumerate()
    {
        if let Some(value) = &case.value {
            let _ = writeln!(example, "EXAMPLE_{number}={value}");
            let _ = writeln!(source, "use(process.env.EXAMPLE_{number})");
        }
    }
    for (number, case) in place.add("a.js", cases("a.js")).iter().enumerate() {
        if let Some(value) = &case.value {
            let value = value.trim_matches('"');
            let _ = writeln!(source, "use(process.env.SOURCE_{number} || \"{value}\")");
        }
    }
    place.write(".env.example", &example);
    place.write("a.js", &source);
    place.write(
        "README.md",
        "# Shop\n\n```sh\nnpm install\nnpm start\n```\n",
    );
    let (said, texts) = place.everything();
    place.check(&texts);
    for (line, setting) in (1..).zip(example.lines()) {
        // Where a service is meant, its own address takes the place of the one that is shown.
        let is_of_service = setting.contains("=smtp:") || setting.contains("=postgresql:");
        let stands = format!("a secret stands in `.env.example`, line {line}\n");
        assert!(is_of_service || said.contains(&stands), "{stands}");
    }
    let secrets = texts
        .iter()
        .find(|(name, _)| name == "env/secrets.example.env");
    let (_, secrets) = secrets.expect("written");
    assert!(secrets.contains("EXAMPLE_0="), "{secrets}");
    assert!(secrets.contains("SOURCE_0="), "{secrets}");
}

#[test]
fn no_target_of_a_makefile_shows_its_secrets() {
    let mut place = place();
    let mut makefile = "setup:\n".to_owned();
    for case in place.add("Makefile", cases("Makefile")) {
        let _ = writeln!(makefile, "\t{}", case.command);
    }
    place.write("Makefile", &makefile);
    place.write("README.md", "# Shop\n\n```sh\nmake setup\nnpm start\n```\n");
    let (_, texts) = place.everything();
    place.check(&texts);
}

#[test]
fn a_file_that_a_person_creates_takes_its_secrets_from_variables() {
    let mut place = place();
    let cases = place.add("README.md", cases("README.md"));
    let mut members = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        if let Some(value) = &case.value {
            members.push(format!(
                "\"setting{number}\": \"{}\"",
                value.trim_matches('"')
            ));
        }
    }
    place.write(
        "README.md",
        &format!(
            "# Shop\n\n```sh\nnpm install\n```\n\nCreate a `default.json` file in the `config` folder with the following:\n\n```json\n{{{}}}\n```\n\n```sh\nnpm start\n```\n",
            members.join(",\n ")
        ),
    );
    place.write(
        "a.js",
        "const c = require('./config/default.json')\nrequire('express')().listen(3000)\n",
    );
    let (_, texts) = place.everything();
    place.check(&texts);
    let script = texts
        .iter()
        .find(|(name, _)| name == "container/with-settings.sh");
    let (_, script) = script.expect("a script fills the file");
    assert!(script.contains("SETTING0"), "{script}");
    assert!(!script.contains("***"), "{script}");
}

#[test]
fn no_diagnosis_shows_the_secrets_of_a_log() {
    let mut place = place();
    for case in place.add("build.log", cases("build.log")) {
        let command = case.command.replace("\\\n", " ");
        let log = format!(
            "#7 [build 3/5] RUN {command}\n#7 0.3 + {command}\n#7 0.4 /bin/sh: 1: gcc: not found {command}\n#7 ERROR: process \"/bin/sh -c {command}\" did not complete successfully: exit code: 127\n"
        );
        let log_file = place.keep.path().join("build.log");
        fs::write(&log_file, log).expect("written");
        let log_file = log_file.display().to_string();
        place.check(&[
            ("text".to_owned(), place.run(&["diagnose", &log_file])),
            (
                "JSON".to_owned(),
                place.run(&["diagnose", "--format", "json", &log_file]),
            ),
        ]);
    }
}

/// Returns the repository of an application that logs in with `password`.
fn with_password(password: &str) -> Place {
    let place = place();
    let package = r#"{"name": "shop", "scripts": {"start": "node a.js"}, "dependencies": {"express": "4.18.2", "pg": "8.11.0"}}"#;
    place.write("package.json", package);
    place.write(
        "a.js",
        &format!(
            "const {{Pool}} = require('pg')\nnew Pool({{host: 'localhost', user: 'sailor', password: '{password}', database: 'shop'}})\nrequire('express')().listen(3000)\n"
        ),
    );
    place.write(
        "README.md",
        "# Shop\n\n```sh\nnpm install\nnpm start\n```\n",
    );
    place
}

#[test]
fn a_service_is_set_up_with_the_password_of_the_source_that_no_file_holds() {
    let password = random("password", 16);
    let mut place = with_password(&password);
    place
        .secrets
        .push(("password".to_owned(), password.clone()));
    let (_, texts) = place.everything();
    place.check(&texts);
    let secrets = texts
        .iter()
        .find(|(name, _)| name == "env/secrets.example.env");
    let (_, secrets) = secrets.expect("written");
    assert!(
        secrets.contains("stands in the source (a.js:2)"),
        "{secrets}"
    );
    let plan = convert::plan(&place.repository, &Catalog::built_in(), Trust::Withheld);
    let plan = plan.expect("it opens").value;
    assert!(!format!("{plan:?}").contains(&password));
    let service = &plan.components[0].services[0];
    let value = service.in_source["POSTGRES_PASSWORD"].value.as_ref();
    assert_eq!(value.expect("kept in memory").reveal(), password);
}

#[test]
fn a_password_of_development_that_stands_in_the_source_is_shown() {
    for password in ["postgres", "password123", "sailor"] {
        let place = with_password(password);
        let plan = convert::plan(&place.repository, &Catalog::built_in(), Trust::Withheld);
        let plan = plan.expect("it opens").value;
        let service = &plan.components[0].services[0];
        assert_eq!(service.written["POSTGRES_PASSWORD"], password);
        assert!(service.in_source.is_empty());
    }
}

#[test]
fn what_protects_nothing_is_no_secret() {
    let catalog = Catalog::built_in();
    let patterns = catalog.secrets();
    for text in [
        "Send the header `Authorization: Bearer <token>`.",
        "Bearer tokens and Basic authentication are supported since version2",
        "curl -H \"Authorization: Bearer $TOKEN\" http://localhost:3000/",
        "the keyJoin of eyJ and eyJustWords",
        "git checkout 3f786850e387550fdab836ed7e6dc881de23001b",
        "id: 550e8400-e29b-41d4-a716-446655440000",
        "POSTGRES_PASSWORD=postgres",
        "MYSQL_ROOT_PASSWORD=password",
        "export SECRET_KEY=your-secret-key-1",
        "export SECRET_KEY=change_me_2024",
        "export API_KEY=xxxxxxxx12",
        "export TOKEN=$(cat token.txt)",
        "export TOKEN=${CI_TOKEN1}",
        "mysql -u root -p shop",
        "mysql -u root -proot shop",
        "docker run -p 3000:3000 shop",
        "docker login -u me -p $PASSWORD1 registry",
        "curl -u admin:admin http://localhost:8080/",
        "postgres://postgres:postgres@localhost:5432/shop",
        "postgres://shop2023:shop2023@localhost:5432/shop",
        "git clone git@github.com:a/b.git",
        "ssh://git@github.com/a/b.git",
        "https://user:password@host/",
        "https://example.com/@scope/pkg1",
        "PASSWORD_MIN_LENGTH=12",
        "TOKEN_LIFETIME=3600s12",
        "the password is stored as bcrypt2b",
        "AUTH_TYPE=basic",
        "SESSION_DRIVER=database",
        "key: value",
        "npm_config_registry=https://registry",
        "-----BEGIN CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----",
        "ssh-keygen -t ed25519 -f ~/.ssh/id_ed25519",
        "APP_KEY=base64:",
        "password: process.env.DB_PASSWORD",
        "self.secret_token = os.environ['SECRET_TOKEN']",
    ] {
        let hits = patterns.hits(text);
        assert!(hits.is_empty(), "{text}: {}", &text[hits[0].range.clone()]);
    }
}
