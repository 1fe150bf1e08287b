//! The fields of each kind of recipe.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Expression, OutputPath, Pattern, Syntax};

/// `recipes/runtimes/ID.toml`: a language runtime and its versions.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuntimeRecipe {
    /// Name for people.
    pub title: String,
    /// Version taken when nothing asks for one.
    pub default: String,
    /// How prose calls it, before a version number.
    #[serde(default)]
    pub words: Vec<String>,
    /// Base image with `{version}` and `{suite}`.
    pub image: String,
    /// Day on which the list of versions was last compared with its source, ISO 8601; a version
    /// that ends before it is said to have ended, so that a result does not depend on the clock.
    pub checked: String,
    /// Where the dates of `version` come from.
    pub source: String,
    /// Versions that have an image, oldest first.
    pub version: Vec<RuntimeVersion>,
    /// Files that ask for a version, strongest first.
    #[serde(default)]
    pub requested_in: Vec<VersionFile>,
    /// Pinned packages that do not install on newer versions.
    #[serde(default)]
    pub ceiling: Vec<Ceiling>,
    /// Commands of documents that ask for a version.
    #[serde(default)]
    pub asked_by: Vec<AskingCommand>,
    /// How its tools come to trust a company's certificate.
    #[serde(default)]
    pub certificate: CertificateRecipe,
    /// For a web server: how it hands requests on to another program.
    #[serde(default)]
    pub hands_on: Option<HandsOnRecipe>,
}

/// How a web server hands requests on to another program of the repository: pieces of its
/// configuration, which stand where a recipe's file for the server has `{handed_on}` and
/// `{otherwise}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandsOnRecipe {
    /// Where this is written.
    pub source: String,
    /// The piece that stands once before all others.
    pub shared: String,
    /// The piece for the paths that begin with `{path}`: `{name}` is a word for the other program,
    /// `{host}` and `{port}` its address; a line with `{rewrite}`, the piece below, goes where it
    /// changes nothing.
    pub path: String,
    /// The piece for what is neither a file nor asked for as a page.
    pub unknown: String,
    /// The piece that puts `{to}` in the place of `{from}`, with which paths begin.
    pub rewrite: String,
    /// What `{otherwise}` stands for, where the server hands on what it has no file for; `{name}` is
    /// replaced.
    pub otherwise: String,
    /// What `{otherwise}` stands for elsewhere.
    pub by_default: String,
    /// Where the configuration lies in the image, and where instead if it hands on.
    pub moves: BTreeMap<String, String>,
    /// Folders that it then writes.
    pub writable: Vec<String>,
    /// Further files that it then needs.
    pub file: Vec<ImageFile>,
}

/// How the tools of a runtime come to trust a further authority, while an image is built.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CertificateRecipe {
    /// Environment variables that name a file with all certificates to trust.
    pub env: Vec<String>,
    /// Commands that add `{certificate}`, the file, to a store of its own.
    pub run: Vec<String>,
}

/// A command that asks for a version of a runtime, such as `nvm use 14`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskingCommand {
    /// Names of the command.
    pub commands: Vec<String>,
    /// Regular expression for one of its words, first group the version.
    pub word: Expression,
}

/// A version of a runtime.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuntimeVersion {
    /// Version as in the tag of the image.
    pub version: String,
    /// Debian suite of the image.
    pub suite: String,
    /// Day on which security fixes end, ISO 8601.
    pub ends: String,
    /// Day on which it came out, ISO 8601; none for a version that is only taken when asked for.
    #[serde(default)]
    pub released: Option<String>,
}

/// A file that asks for a version of a runtime.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionFile {
    /// Name of the file, relative to the component.
    pub file: String,
    /// How it is read.
    pub format: VersionFormat,
    /// Key of the value, parts separated by dots, for `json` and `toml`.
    #[serde(default)]
    pub key: Option<String>,
    /// Regular expression whose first group is the value, for `pattern`.
    #[serde(default)]
    pub pattern: Option<Expression>,
    /// Whether it only says what the application is tested with: weaker than all others.
    #[serde(default)]
    pub tested: bool,
}

/// How a [`VersionFile`] is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VersionFormat {
    /// The first line that is no comment.
    Line,
    /// A value of a JSON file.
    Json,
    /// A value of a TOML file.
    Toml,
    /// What a regular expression finds.
    Pattern,
}

/// A sign of what does not install or run on newer runtimes: a package below a version, or a text.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ceiling {
    /// The package.
    #[serde(default)]
    pub package: Option<String>,
    /// Pins below this version are meant.
    #[serde(default)]
    pub below: Option<String>,
    /// Regular expression that a file has.
    #[serde(default)]
    pub text: Option<Expression>,
    /// The file, relative to the component; the source files where there is none.
    #[serde(default)]
    pub file: Option<String>,
    /// The newest runtime that works.
    pub newest: String,
    /// What fails, and where that is written.
    pub why: String,
}

/// `recipes/stacks/ID.toml`: a language with its package manager and how its image is laid out.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StackRecipe {
    /// Name for people.
    pub title: String,
    /// Id of the runtime.
    pub runtime: String,
    /// Name of the language in `recipes/system-packages`.
    pub language: String,
    /// Stacks of which this is a special case.
    #[serde(default)]
    pub refines: Vec<String>,
    /// Signs of the stack.
    pub detect: StackDetect,
    /// Files that declare packages.
    #[serde(default)]
    pub declared: Vec<DeclaredFile>,
    /// Regular expressions for what source code imports, first group the name.
    #[serde(default)]
    pub imports: Vec<Expression>,
    /// Regular expressions for environment variables read by source code: group `name`, and
    /// `default` where there is one.
    #[serde(default)]
    pub env_reads: Vec<Expression>,
    /// Regular expression for environment variables that the server sets for each request: reading
    /// one of them asks for no setting.
    #[serde(default)]
    pub request_env: Option<Expression>,
    /// Configuration files of which the application reads only some.
    #[serde(default)]
    pub profiles: Option<ProfilesRecipe>,
    /// Regular expressions for ports written in source code, first group the number.
    #[serde(default)]
    pub port_reads: Vec<Expression>,
    /// Regular expression for the line from which on a source file holds nothing but tests.
    #[serde(default)]
    pub tests_from: Option<Expression>,
    /// Pieces of source code that show that a program listens on a port.
    #[serde(default)]
    pub serves: Vec<String>,
    /// Regular expressions for files that the application keeps data in: first group the string
    /// literals of the folders before it, second group the file.
    #[serde(default)]
    pub data_files: Vec<Expression>,
    /// Regular expressions for log files that the application writes, first group the file.
    #[serde(default)]
    pub log_files: Vec<Expression>,
    /// Endings of source files, without dot.
    #[serde(default)]
    pub sources: Vec<String>,
    /// Regular expression for the first line of source files whose names have no ending.
    #[serde(default)]
    pub first_line: Option<Expression>,
    /// What source files use and a Debian package brings, where no manifest declares it.
    #[serde(default)]
    pub uses: Vec<SourceUse>,
    /// Patterns of source files that are pages by themselves, relative to the component.
    #[serde(default)]
    pub pages: Vec<String>,
    /// How the image is laid out.
    pub image: ImageRecipe,
    /// How dependencies are installed when the README does not say; the first that fits.
    #[serde(default)]
    pub install: Vec<InstallRecipe>,
    /// How to remove what only development needs, once it is built; the first that fits.
    #[serde(default)]
    pub prune: Vec<PruneRecipe>,
    /// Scripts of the manifest that an install runs.
    #[serde(default)]
    pub lifecycle: Option<LifecycleRecipe>,
    /// Pieces of pages that tell of an error although the status is one of success.
    #[serde(default)]
    pub error_pages: Vec<String>,
    /// Pieces of source code that fail where there is no file `.env`.
    #[serde(default)]
    pub needs_env_file: Vec<String>,
    /// Command that installs the repository itself, where a document installs its published package.
    #[serde(default)]
    pub own_install: Option<String>,
    /// Pieces of commands that install the repository itself with its dependencies.
    #[serde(default)]
    pub own_installs: Vec<String>,
    /// Regular expressions for pages that the source answers with GET; the first group is the path, as
    /// far as it has no parameter.
    #[serde(default)]
    pub routes: Vec<Expression>,
    /// Values found in the tree, for `{name}` in commands.
    #[serde(default)]
    pub variable: BTreeMap<String, Variable>,
    /// How a program of the repository is called in the image, where its name is not enough.
    #[serde(default)]
    pub program: Option<ProgramRecipe>,
    /// The newest version of the runtime that it works with, and why.
    #[serde(default)]
    pub newest: Option<Newest>,
    /// Commands to build, each only if its condition holds.
    #[serde(default)]
    pub build: Vec<ConditionalCommand>,
    /// Commands before each release, each only if its condition holds: migrations of libraries that
    /// go with any framework.
    #[serde(default)]
    pub prepare: Vec<ConditionalCommand>,
    /// Commands that start it when nothing else says how; the first that fits.
    #[serde(default)]
    pub start: Vec<ConditionalCommand>,
    /// Whether only `start` starts it: a web server that runs the scripts, so that no start command
    /// of the documents applies.
    #[serde(default)]
    pub serves_scripts: bool,
    /// Whether the result is static files, served by the run stage's web server on `port`: as
    /// [`FrameworkRecipe::serves_static`].
    #[serde(default)]
    pub serves_static: bool,
    /// What is said where a site file hands scripts to a FastCGI server: which server the image has
    /// in its place, and why.
    #[serde(default)]
    pub instead_of_fastcgi: Option<String>,
    /// Pieces of source code that show that a program stays up without listening.
    #[serde(default)]
    pub stays_up: Vec<String>,
    /// Port when nothing names one.
    #[serde(default)]
    pub port: Option<u16>,
    /// Whether its manifest at the top is about all that lies below: the projects of a solution, the
    /// modules of a parent.
    #[serde(default)]
    pub covers_nested: bool,
    /// Files of a folder that show it to be a part of the program around it, no application of its
    /// own.
    #[serde(default)]
    pub part_files: Vec<String>,
    /// Signs that its manifest only builds assets for another stack in the same folder.
    #[serde(default)]
    pub assets: Option<AssetsRecipe>,
    /// Whether what it serves is about an application, so that it gives way to one.
    #[serde(default)]
    pub documents: Documents,
    /// Source files of other stacks that belong to such a site, with a text that they have.
    #[serde(default)]
    pub own_sources: Vec<TextSign>,
    /// How several projects of a repository are declared to be installed together.
    #[serde(default)]
    pub workspace: Option<WorkspaceRecipe>,
}

/// Whether what a recipe serves is about an application: documentation is not deployed in its place.
///
/// A framework that may be so also gives way to a program of the manifest that declares it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Documents {
    /// It is an application itself.
    #[default]
    Never,
    /// It is, where the name of its folder says so: `documentation` in `recipes/words/folders.toml`.
    InTheirFolder,
    /// It is, wherever an application lies beside it.
    Always,
}

impl StackRecipe {
    /// Returns the part of the source `text` before its tests.
    pub fn without_tests<'t>(&self, text: &'t str) -> &'t str {
        let tests = self.tests_from.as_ref().and_then(|from| from.find(text));
        tests.map_or(text, |tests| &text[..tests.start()])
    }

    /// Returns whether the source `text` shows, outside its tests, that a program listens on a port.
    pub fn serves_in(&self, text: &str) -> bool {
        let text = self.without_tests(text);
        self.serves
            .iter()
            .any(|piece| text.contains(piece.as_str()))
    }

    /// Returns whether one of its start commands fits everything of the stack.
    pub fn starts_by_itself(&self) -> bool {
        self.start.iter().any(|start| {
            let signs = [&start.packages, &start.files, &start.unless_files];
            signs.iter().all(|signs| signs.is_empty())
                && start.script.is_none()
                && start.code.is_none()
                && start.text.is_none()
                && start.serves != Some(true)
                && !start.command.contains('{')
        })
    }
}

/// How several projects of a repository are declared to be installed together.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkspaceRecipe {
    /// The manifest of a member, which makes a folder one.
    pub manifest: String,
    /// Tables of that manifest whose keys are the packages that it declares: one member needs
    /// another by its name.
    pub packages: Vec<String>,
    /// Script that builds what others of the workspace need of a member …
    pub build_script: String,
    /// … and the command that runs it in the member's folder.
    pub build: String,
    /// Files that declare members, strongest first.
    pub declared: Vec<WorkspaceFile>,
    /// Environment of the build stage of a member, where it differs from the stack's: `{app}` stands
    /// for the member's folder in the image, `{top}` for that of the workspace.
    #[serde(default)]
    pub build_env: BTreeMap<String, String>,
    /// The same for the run stage.
    #[serde(default)]
    pub run_env: BTreeMap<String, String>,
}

/// A file that declares the members of a workspace.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkspaceFile {
    /// Its name, JSON or YAML.
    pub file: String,
    /// Keys of the list of folders, parts separated by dots, of which it has one: patterns, those
    /// with `!` for what is left out.
    pub keys: Vec<String>,
    /// Where this is written.
    pub source: String,
}

/// What source files use and a Debian package brings.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceUse {
    /// What kind of file it is, by which the package is looked up; see [`FileKind`].
    pub kind: FileKind,
    /// Regular expression, first group the name; without it the commands that shell scripts run.
    #[serde(default)]
    pub pattern: Option<Expression>,
    /// The name, where the expression only shows that it is used.
    #[serde(default)]
    pub name: Option<String>,
}

/// Signs that a manifest builds assets, such as the style sheets of a PHP application.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssetsRecipe {
    /// Packages that bundle; one is enough.
    pub packages: Vec<String>,
    /// Scripts that build, best first.
    pub scripts: Vec<String>,
    /// How one is run, with `{script}`.
    pub command: String,
    /// Folders that are removed once it is built.
    pub remove: Vec<String>,
}

/// Configuration files that belong to a profile, of which the application reads those of the active
/// ones only.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfilesRecipe {
    /// Regular expression for the name of such a file, group `profile`.
    pub files: Expression,
    /// Regular expressions for the setting in other source files that names the active ones, group
    /// `profiles`, with commas between them. All count where none does.
    pub active: Vec<Expression>,
}

/// Signs that an application of a framework has a web server.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListenSigns {
    /// Regular expression for the names of declared packages.
    pub packages: Expression,
    /// Pieces of source code.
    pub code: Vec<String>,
}

/// How a program of the repository is called once it is in the image.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgramRecipe {
    /// What stands for it in a command: a path in the image, or the words that run it; `{name}` is
    /// its name and `{entry}` the file that a manifest gives for it.
    pub command: Vec<String>,
    /// Endings of the words by which documents call it, such as `.jar`; its name in a manifest
    /// always does.
    #[serde(default)]
    pub called: Vec<String>,
    /// Source files that are the entries of programs without a manifest naming them: a pattern with
    /// one `*`, which is the program's name. Where there are such patterns, a program whose entry is
    /// named and absent does not exist.
    #[serde(default)]
    pub entries: Vec<String>,
}

/// A limit of the runtime's version.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Newest {
    /// The newest version that works.
    pub version: String,
    /// What fails above it, and where that is written.
    pub why: String,
}

/// Signs of a stack.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StackDetect {
    /// Files of the component's folder that are proof.
    pub files: Vec<String>,
    /// Files that are a sign only where no stack has proof.
    pub weak_files: Vec<String>,
    /// Texts in files of the component's folder that are as weak a sign.
    pub weak_text: Vec<TextSign>,
    /// Patterns of files of the component's folder that are a sign only where no stack has any
    /// other, and a document runs one of them.
    pub run_files: Vec<String>,
    /// Patterns of files of the component's folder of which one must be there beside `files`.
    pub only_with: Vec<String>,
    /// Patterns of files of the component's folder beside which `files` are no proof.
    pub unless_files: Vec<String>,
    /// Tools whose commands in the README are a sign.
    pub tools: Vec<String>,
}

/// A file that declares packages.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredFile {
    /// Path pattern, relative to the component or the repository.
    pub file: String,
    /// How it is read.
    pub format: DeclaredFormat,
    /// Regular expression for each declaration, for `pattern`: groups `package`, `version` and
    /// `program`, of which a declaration has some.
    #[serde(default)]
    pub pattern: Option<Expression>,
    /// Packages by the names that the file has for them, which `pattern` finds in its group `package`,
    /// for `named`; what is not in it needs no package.
    #[serde(default)]
    pub names: BTreeMap<String, String>,
}

/// How a [`DeclaredFile`] is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeclaredFormat {
    /// pip's requirements file.
    Requirements,
    /// `package.json`.
    PackageJson,
    /// `pyproject.toml` of PEP 621 or Poetry.
    Pyproject,
    /// `Pipfile`.
    Pipfile,
    /// `environment.yml` of conda.
    CondaEnvironment,
    /// `setup.py` or `setup.cfg`: the quoted strings of `install_requires`.
    Setup,
    /// Maven's `pom.xml`: dependencies and plugins by their artifact.
    Pom,
    /// Gradle's build script: quoted strings `group:artifact:version`, and ids of plugins.
    Gradle,
    /// `go.mod`: modules that are required.
    GoMod,
    /// `Cargo.toml`.
    Cargo,
    /// `Cargo.toml` of a member, read where the one at the top only gathers members.
    CargoMember,
    /// PHP's `composer.json`.
    Composer,
    /// PHP's `composer.lock`: the extensions that locked packages require.
    ComposerLock,
    /// Ruby's `Gemfile`: lines `gem "name"`.
    Gemfile,
    /// .NET's `appsettings.json`: connection strings, which the environment overrides as
    /// `ConnectionStrings__NAME`.
    AppSettings,
    /// What a regular expression finds.
    Pattern,
    /// A configuration file that names packages in its own way: see [`DeclaredFile::names`]. They are
    /// arguments for the package manager, as `{environment}`.
    Named,
}

/// How the image is laid out; an empty field of a framework keeps what the stack says.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImageRecipe {
    /// Base image of the build stage, if it is not the runtime's; `{version}` and `{suite}` are
    /// the runtime's.
    pub build: Option<String>,
    /// Base images of the build stage that take its place; the first that fits.
    pub build_if: Vec<ConditionalImage>,
    /// Base image of the run stage; `{runtime}` stands for the runtime's image, `{version}` and
    /// `{suite}` as above.
    pub run: Option<String>,
    /// Folder of the source; variables are replaced.
    pub workdir: Option<String>,
    /// Numeric user.
    pub user: Option<u32>,
    /// Commands right after the system packages of the build stage.
    pub setup: Vec<ConditionalCommand>,
    /// Commands that end the build stage, so that the run stage takes over less; not read where a
    /// framework has another run image.
    pub finish: Vec<ConditionalCommand>,
    /// Files to copy before dependencies are installed, as patterns.
    pub manifests: Vec<String>,
    /// Folders to keep between builds.
    pub caches: Vec<String>,
    /// Absolute paths that the run stage takes over, `from` or `from:to`; variables are replaced.
    pub artifacts: Vec<String>,
    /// Whether the run stage gets the source.
    pub copy_source: Option<bool>,
    /// Whether the run stage gets what lies beside the source of a compiled program: files and
    /// folders of the component's top level that hold no source.
    pub copy_data: Option<bool>,
    /// Commands of the run stage, as root, before the application is copied.
    pub run_setup: Vec<ConditionalCommand>,
    /// Debian packages of the run stage that every application of the stack needs.
    pub packages: Vec<String>,
    /// Whether nothing is compiled or installed, so that the build stage needs system packages only
    /// for commands of documents.
    pub only_copied: bool,
    /// Debian packages of the build stage that applications of the stack need.
    pub build_packages: Vec<StackPackage>,
    /// Command that asks `{url}` inside the container and fails when it gives no success.
    pub health_command: Option<String>,
    /// Environment of the build stage; `{app}` stands for the component's folder in the image.
    pub build_env: BTreeMap<String, String>,
    /// Environment of the run stage; `{app}` stands for the component's folder in the image,
    /// `{port}` for the port.
    pub run_env: BTreeMap<String, String>,
    /// Small program that runs the start command, for those that ignore SIGTERM as process 1.
    pub init: Option<InitRecipe>,
    /// Files that longshore writes into the image.
    pub file: Vec<ImageFile>,
    /// Paths that must be writable while it runs; variables are replaced.
    pub writable: Vec<String>,
    /// Paths below which it keeps what its users give it; variables are replaced.
    pub kept: Vec<String>,
}

/// A Debian package that applications of a stack need.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StackPackage {
    /// Its name.
    pub name: String,
    /// Patterns of files that must be there, relative to the component.
    #[serde(default)]
    pub files: Vec<String>,
    /// Pieces of the commands that need it, of which one must be run; none where it is always needed.
    #[serde(default)]
    pub commands: Vec<String>,
    /// What it is for.
    pub why: String,
}

/// A base image with its condition.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConditionalImage {
    /// The image, as [`ImageRecipe::build`].
    pub image: String,
    /// Patterns of files that must not be there, relative to the component.
    #[serde(default)]
    pub unless_files: Vec<String>,
    /// Text that must stand in one of the source files.
    #[serde(default)]
    pub code: Option<String>,
}

/// A small program that passes signals on.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InitRecipe {
    /// Its Debian package.
    pub package: String,
    /// The words before the start command.
    pub command: Vec<String>,
    /// What fails without it.
    pub why: String,
}

/// A file that longshore writes into the image.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageFile {
    /// Path among the generated files.
    pub path: OutputPath,
    /// Absolute path in the image.
    pub to: String,
    /// The text.
    pub contents: String,
    /// How the text is read; required where values of variables other than `{port}` stand in it.
    #[serde(default)]
    pub syntax: Option<Syntax>,
    /// What it is for.
    pub why: String,
    /// Whether it is a script that something runs.
    #[serde(default)]
    pub executable: bool,
    /// Name of the variable without which the file is left out.
    #[serde(default)]
    pub needs: Option<String>,
    /// Patterns of files that must not be there, relative to the component: the repository has its own.
    #[serde(default)]
    pub unless_files: Vec<String>,
    /// Sample of the repository, relative to the component, that documents have a person copy and fill
    /// in: the file takes the place of the copy.
    #[serde(default)]
    pub instead_of: Option<String>,
}

/// A way to install dependencies.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstallRecipe {
    /// Files that must all be there, relative to the component.
    pub files: Vec<String>,
    /// Text that the first of them has.
    #[serde(default)]
    pub has: Option<String>,
    /// The command; variables are replaced.
    pub run: String,
    /// Whether it needs the source, and so runs after it is copied.
    #[serde(default)]
    pub needs_source: bool,
    /// Commands of a document that it is the exact form of, so that it takes their place.
    #[serde(default)]
    pub instead_of: Vec<String>,
    /// Patterns of what a manifest requires of the platform: where it requires nothing else, there is
    /// nothing to install.
    #[serde(default)]
    pub platform: Vec<String>,
    /// Patterns of files, relative to the component, that show that the repository carries what it
    /// would fetch, so that nothing is installed.
    #[serde(default)]
    pub carried: Vec<String>,
}

/// Scripts of a manifest that a package manager runs while it installs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LifecycleRecipe {
    /// Their names, in the order in which they run.
    pub scripts: Vec<String>,
    /// Words before a command or the name of a script.
    pub wrappers: Vec<String>,
    /// Commands that need nothing of the source, or have no use in an image.
    pub needless: Vec<String>,
    /// Commands that need only files of these patterns.
    #[serde(default)]
    pub needs: BTreeMap<String, Vec<String>>,
    /// Commands that run a file, their first argument …
    #[serde(default)]
    pub runs_file: Vec<String>,
    /// … which needs others if any of these is in it.
    #[serde(default)]
    pub takes_others: Vec<Expression>,
    /// How it is made up for where they need the source; the first that fits.
    pub way: Vec<LifecycleWay>,
}

/// How one package manager leaves the scripts out and runs them later.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LifecycleWay {
    /// Piece of the install command.
    pub install: String,
    /// The flag that leaves all scripts out.
    pub flag: String,
    /// The command that runs those of the dependencies …
    pub rebuild: String,
    /// … and these of the application.
    #[serde(default)]
    pub rebuilds: Vec<String>,
    /// The command that runs `{script}`.
    pub run: String,
}

/// A way to remove the dependencies of development.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PruneRecipe {
    /// Files that must all be there, relative to the component.
    pub files: Vec<String>,
    /// The command.
    pub command: String,
    /// Programs of start commands that need no package by themselves.
    pub programs: Vec<String>,
}

/// A command with its condition.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConditionalCommand {
    /// The command; `{port}` and the framework's variables are replaced.
    pub command: String,
    /// The command where one of those variables has no value; without it there is none then.
    #[serde(default)]
    pub otherwise: Option<String>,
    /// Packages that must be declared.
    #[serde(default)]
    pub packages: Vec<String>,
    /// Patterns of files that must be there, relative to the component.
    #[serde(default)]
    pub files: Vec<String>,
    /// Patterns of files that must not be there, relative to the component.
    #[serde(default)]
    pub unless_files: Vec<String>,
    /// Commands of a document that it is the exact form of, so that it takes their place; read of
    /// commands that build or prepare.
    #[serde(default)]
    pub instead_of: Vec<String>,
    /// Script of the package manifest that must be there.
    #[serde(default)]
    pub script: Option<String>,
    /// Scripts of the package manifest of which none may be there.
    #[serde(default)]
    pub unless_script: Vec<String>,
    /// Text that must stand in one of the source files.
    #[serde(default)]
    pub code: Option<String>,
    /// Text that must stand in a file, relative to the component; variables are replaced.
    #[serde(default)]
    pub text: Option<TextSign>,
    /// Texts that must not stand in a file, relative to the component.
    #[serde(default)]
    pub unless_text: Vec<TextSign>,
    /// Whether the manifest must, or must not, be one that only gathers others.
    #[serde(default)]
    pub gathers: Option<bool>,
    /// Versions of the runtime that it is for, all if empty; read of the image's `setup` only.
    #[serde(default)]
    pub versions: Vec<String>,
    /// Versions of the runtime that it is not for; read of the image's `setup` only.
    #[serde(default)]
    pub except_versions: Vec<String>,
    /// Whether the source must, or must not, be one that listens on a port.
    #[serde(default)]
    pub serves: Option<bool>,
    /// Environment for it.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Why it is needed.
    #[serde(default)]
    pub why: Option<String>,
}

/// `recipes/frameworks/ID.toml`: what a framework adds to a stack.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrameworkRecipe {
    /// Name for people.
    pub title: String,
    /// Stacks it belongs to.
    pub stacks: Vec<String>,
    /// Frameworks that it wins against when both are found.
    #[serde(default)]
    pub refines: Vec<String>,
    /// Signs of the framework.
    pub detect: FrameworkDetect,
    /// File whose folder is the component's, such as `manage.py`.
    #[serde(default)]
    pub root_file: Option<String>,
    /// The port it listens on by default.
    #[serde(default)]
    pub port: Option<u16>,
    /// Signs of which one must be there so that it listens at all; without them it always does.
    #[serde(default)]
    pub listens: Option<ListenSigns>,
    /// Paths worth asking; one with a variable that has no value is left out.
    #[serde(default)]
    pub health: Vec<String>,
    /// Value of the `Host` header that it accepts by default; variables are replaced.
    #[serde(default)]
    pub health_host: Option<String>,
    /// Values found in the tree, for `{name}` in commands.
    #[serde(default)]
    pub variable: BTreeMap<String, Variable>,
    /// Changes to the image of the stack.
    #[serde(default)]
    pub image: ImageRecipe,
    /// Commands to build.
    #[serde(default)]
    pub build: Vec<ConditionalCommand>,
    /// Commands before each release.
    #[serde(default)]
    pub prepare: Vec<ConditionalCommand>,
    /// Commands that start it; the first that fits.
    #[serde(default)]
    pub start: Vec<ConditionalCommand>,
    /// A server that a file of the application starts by itself, on 127.0.0.1 unless told otherwise.
    #[serde(default)]
    pub own_server: Option<OwnServer>,
    /// Environment variables that it needs, name → value, empty for one that only the user knows.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Whether the result is static files, served by the run stage's web server, so that no start
    /// command of the README applies.
    #[serde(default)]
    pub serves_static: bool,
    /// Where its development server is told which paths to hand on, and to whom.
    #[serde(default)]
    pub proxied: Vec<ProxiedFile>,
    /// Whether what it serves is about an application, so that it gives way to one.
    #[serde(default)]
    pub documents: Documents,
}

/// A file that tells a development server which paths another program answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProxiedFile {
    /// Pattern of the file, JSON or JavaScript, relative to the component.
    pub file: String,
    /// Key of the value, parts separated by dots; empty for all that the file exports. The value is
    /// an address, addresses or options by path, or a list of options with `context`.
    #[serde(default)]
    pub key: Option<String>,
    /// Functions that are called with such options.
    #[serde(default)]
    pub calls: Vec<String>,
    /// Where this is written.
    pub source: String,
}

/// A server within a file that is run: `app.run()`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnServer {
    /// Regular expression on the file: group `arguments` is what the server is told.
    pub runs: Expression,
    /// Piece of the arguments that says where it listens.
    pub told: String,
    /// Command that serves the same on all addresses; `{file}` is the file that is run.
    pub command: String,
    /// Environment of that command, with `{file}`.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// What is done instead where the file does more before it starts the server.
    #[serde(default)]
    pub busy: Option<BusyServer>,
}

/// A file that makes tables, say, before it starts its own server: it is run as it is, but for the
/// address.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BusyServer {
    /// Regular expression for what is done only where the file itself is run: group `work` is all of
    /// it.
    pub sign: Expression,
    /// Regular expression for the last line of that work, which starts the server: group `name` is
    /// what the server is called.
    pub runs: Expression,
    /// Words of the command that writes the address into this line of `{file}`, where the server is
    /// called `{name}`, when the image is built.
    pub edit: Vec<String>,
}

/// Signs of a framework.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FrameworkDetect {
    /// Any of these packages declared.
    pub packages: Vec<String>,
    /// Any of these packages imported.
    pub imports: Vec<String>,
    /// Any of these files, patterns relative to the component.
    pub files: Vec<String>,
    /// Any of these texts in a file.
    pub text: Vec<TextSign>,
    /// Patterns of files, relative to the component, of which one must be there beside those signs.
    pub only_with: Vec<String>,
}

/// How to tell a file that makes and fills the tables of a database.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DumpRecipe {
    /// Patterns of its path.
    pub files: Vec<String>,
    /// Any of these is in one that makes tables.
    pub makes: Vec<Expression>,
    /// Any of these is in one that fills them.
    #[serde(default)]
    pub fills: Vec<Expression>,
    /// None of these is: they are of other databases.
    #[serde(default)]
    pub lacks: Vec<Expression>,
    /// Patterns of paths that something else loads.
    #[serde(default)]
    pub outside: Vec<String>,
    /// Patterns of migrations in plain SQL: together, in the order of their names, they make the
    /// tables.
    #[serde(default)]
    pub migrations: Vec<String>,
    /// Pieces of code that runs such migrations itself.
    #[serde(default)]
    pub migrates: Vec<String>,
}

/// What a client library wants to be told in the URL of a service.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UrlOption {
    /// Package that the application declares.
    pub package: String,
    /// The options, as they stand behind `?`.
    pub options: String,
    /// Where its documentation says so.
    pub source: String,
}

/// A text in a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextSign {
    /// Pattern of the file, relative to the component.
    pub file: String,
    /// The text.
    pub has: String,
}

/// A value found in the tree.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// Pattern of the file, relative to the component; the shallowest is taken.
    #[serde(default)]
    pub file: Option<String>,
    /// Whether it has a value only where the pattern of the file fits one file alone.
    #[serde(default)]
    pub only: bool,
    /// The value where no file has one.
    #[serde(default)]
    pub default: Option<String>,
    /// Regular expression on its text, first group the value; without it the path is the value.
    #[serde(default)]
    pub pattern: Option<Expression>,
    /// Further expressions, each tried where no file has what those before it look for.
    #[serde(default)]
    pub or: Vec<Expression>,
    /// Pieces of text, with `{value}`, of which a document must have one for the value to count.
    #[serde(default)]
    pub named_by: Vec<String>,
    /// How the value is written.
    #[serde(default)]
    pub form: VariableForm,
    /// What a site file of a web server says, where there is one, comes first.
    #[serde(default)]
    pub site: Option<SiteFact>,
}

/// What a site file of a web server says of an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SiteFact {
    /// The folder that is served, relative to the component.
    Root,
    /// The largest request body, as written.
    Upload,
    /// The file that answers for paths without a file of their own.
    Fallback,
    /// A regular expression for paths that are refused.
    Denied,
    /// The path below which requests run programs.
    ScriptPath,
    /// The folder of these programs, relative to the component.
    ScriptFolder,
}

/// How the value of a [`Variable`] is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VariableForm {
    /// As found.
    #[default]
    Text,
    /// A path as a Python module: `shop/wsgi.py` → `shop.wsgi`.
    PythonModule,
    /// The folder of the file, relative to the component: `.` or `cmd/server`.
    Folder,
    /// The folder around that folder: `docs` for `docs/.vitepress/config.js`.
    FolderAround,
    /// The path of the file, relative to the component.
    Path,
    /// The name of the file without its ending.
    Stem,
    /// A path as a Java class: `src/main/java/shop/Main.java` → `shop.Main`.
    JavaClass,
}

/// `recipes/services/ID.toml`: a backing service.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceRecipe {
    /// Name for people.
    pub title: String,
    /// Image with `{version}`.
    pub image: String,
    /// Version taken when nothing asks for one.
    pub default: String,
    /// Versions that have an image, oldest first.
    pub versions: Vec<String>,
    /// Pinned clients that do not work with newer versions.
    #[serde(default)]
    pub ceiling: Vec<Ceiling>,
    /// Port it listens on.
    pub port: u16,
    /// Numeric user of the image.
    pub user: u32,
    /// Folder of its data.
    #[serde(default)]
    pub data: Option<String>,
    /// Folders that it writes besides its data.
    #[serde(default)]
    pub writable: Vec<String>,
    /// Whether it works with a read-only root file system.
    #[serde(default = "yes")]
    pub read_only: bool,
    /// Command that succeeds once it accepts work.
    pub healthcheck: Vec<String>,
    /// Folder of scripts that it runs when it is created.
    #[serde(default)]
    pub init_directory: Option<String>,
    /// Files of a repository that make its tables.
    #[serde(default)]
    pub dump: Option<DumpRecipe>,
    /// User that the application gets; `{name}` stands for the application.
    #[serde(default)]
    pub username: Option<String>,
    /// Database that the application gets.
    #[serde(default)]
    pub database: Option<String>,
    /// Secrets that exist to reach it.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// Environment of its container; `{user}`, `{database}`, `{host}` (by which the application finds
    /// it) and `${SECRET}` are replaced.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// Arguments for the program that its image starts.
    #[serde(default)]
    pub command: Vec<String>,
    /// Memory that its container may take, as Kubernetes writes it, where that is more than most
    /// services need.
    #[serde(default)]
    pub memory: Option<String>,
    /// What applications expect to find in it, such as buckets or queues.
    #[serde(default)]
    pub contents: Option<ContentsRecipe>,
    /// What its client libraries read of the environment by themselves.
    #[serde(default)]
    pub client: Vec<ClientRecipe>,
    /// What differs where the source logs in as a user who is there from the beginning.
    #[serde(default)]
    pub superuser: Option<SuperuserRecipe>,
    /// Environment in place of `settings` where the source logs in without a password.
    #[serde(default)]
    pub without_password: BTreeMap<String, String>,
    /// User and password that clients take where the source names none: `user`, `password`.
    #[serde(default)]
    pub unnamed: BTreeMap<String, String>,
    /// Environment variables that all its clients read, for what the source does not name: `host`,
    /// `user`, `password` → name.
    #[serde(default)]
    pub client_env: BTreeMap<String, String>,
    /// The Unix socket that some clients take in place of its port.
    #[serde(default)]
    pub socket: Option<SocketRecipe>,
    /// Its address as a URL; `{scheme}` is the one the application uses.
    pub url: String,
    /// What clients want in that URL where the application's own example does not say it.
    #[serde(default)]
    pub url_options: Vec<UrlOption>,
    /// Its address in a form of its own, for variables whose example has the sign.
    #[serde(default)]
    pub dsn: Option<DsnRecipe>,
    /// Environment by which a framework is led to it, whatever its own configuration says: framework
    /// → name → value.
    #[serde(default)]
    pub frameworks: BTreeMap<String, BTreeMap<String, String>>,
    /// Schemes of its URLs, the usual one first.
    pub schemes: Vec<String>,
    /// Command that reads a script from `{file}`, run with the service's own client.
    #[serde(default)]
    pub load: Option<String>,
    /// Signs that the application uses it.
    pub detect: ServiceDetect,
    /// Whether client libraries alone are no sign, because they mostly reach a service of somebody
    /// else: it is started only where an address can be set to it.
    #[serde(default)]
    pub needs_address: bool,
    /// What variables hold, by further roles of `env`; `{off}` is the word for off in the manner of
    /// the example.
    #[serde(default)]
    pub values: BTreeMap<String, String>,
    /// Names of environment variables by what they hold: `url`, `host`, `port`, `address` (host and
    /// port), `user`, `password`, `database`, and the roles of `values`.
    #[serde(default)]
    pub env: BTreeMap<String, Vec<String>>,
}

fn yes() -> bool {
    true
}

/// What applications expect to find in a service without making it themselves, such as buckets.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContentsRecipe {
    /// What one of them is called, such as `bucket`.
    pub what: String,
    /// Expression for a whole name.
    pub name: Expression,
    /// Environment variables that hold a name.
    #[serde(default)]
    pub env: Vec<String>,
    /// Environment variables that hold a URL which ends in a name.
    #[serde(default)]
    pub url_env: Vec<String>,
    /// That URL; `{name}` is replaced.
    #[serde(default)]
    pub url: Option<String>,
    /// Expressions for source code that names one, in the group `name`.
    #[serde(default)]
    pub code: Vec<Expression>,
    /// Pieces of source code that make them: then the application does so itself.
    #[serde(default)]
    pub made_by: Vec<String>,
    /// What stands for each in `{contents}`, where they are separated by blanks; `{name}` is replaced.
    pub each: String,
    /// Settings that make them, beside those of the recipe; `{contents}` is replaced.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// What runs in the place of its image's program and makes them; `{contents}` is replaced.
    #[serde(default)]
    pub entrypoint: Vec<String>,
    /// Where that is written.
    pub source: String,
}

/// What client libraries read of the environment by themselves, and fail without, whatever the
/// application's own settings are called.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientRecipe {
    /// The packages, of any language; a `*` at the end stands for any ending.
    pub packages: Vec<String>,
    /// Name → value: `{user}`, `{database}` and `${SECRET}` are replaced. What something else sets
    /// stays.
    pub env: BTreeMap<String, String>,
    /// Where that is written.
    pub source: String,
}

/// A user of a service who is there from the beginning, such as MySQL's `root`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuperuserRecipe {
    /// The names.
    pub names: Vec<String>,
    /// Environment in place of the recipe's `settings`.
    pub settings: BTreeMap<String, String>,
    /// The same where the source logs in without a password.
    #[serde(default)]
    pub without_password: BTreeMap<String, String>,
    /// How the image has the database made, which it need not where a file that is loaded does.
    #[serde(default)]
    pub makes_database: Option<MakesDatabaseRecipe>,
}

/// How an image has the database made, and how a file that is loaded does it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MakesDatabaseRecipe {
    /// Name of the variable with the database's name.
    pub variable: String,
    /// Regular expression for the statement of such a file; it has the group `if_not_exists` where it
    /// does no harm that the database is there already.
    pub statement: Expression,
}

impl MakesDatabaseRecipe {
    /// Returns whether the statements of `text` fail where the database is there already.
    pub fn is_refused_by(&self, text: &str) -> bool {
        let mut found = self.statement.captures_iter(text);
        found.any(|found| found.name("if_not_exists").is_none())
    }
}

/// A Unix socket that some clients take in place of a TCP port.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SocketRecipe {
    /// The hosts for which clients take it; an empty one stands for none.
    pub hosts: Vec<String>,
    /// Folder of the socket in the image of the service, and where clients look for it.
    pub directory: String,
    /// Packages whose clients do so.
    #[serde(default)]
    pub packages: Vec<String>,
    /// Stacks whose clients all do so.
    #[serde(default)]
    pub stacks: Vec<String>,
    /// Files of the application's image that tell clients where the socket is.
    #[serde(default)]
    pub file: Vec<ImageFile>,
    /// Stacks whose clients need these files.
    #[serde(default)]
    pub file_stacks: Vec<String>,
    /// Where that is written.
    pub source: String,
}

/// An address that is no URL.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DsnRecipe {
    /// Piece of an example by which it is recognised.
    pub sign: String,
    /// The address; `{user}`, `{database}` and `${SECRET}` are replaced.
    pub value: String,
}

/// Signs that an application uses a service.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServiceDetect {
    /// Client packages, of any language.
    pub packages: Vec<String>,
    /// Client packages that also serve other purposes, so that more evidence is needed.
    pub weak_packages: Vec<String>,
    /// Names of system packages and units.
    pub names: Vec<String>,
    /// Words of prose: weakest evidence, only beside another sign.
    pub words: Vec<String>,
    /// Pieces of source code that use it.
    pub code: Vec<String>,
    /// Regular expressions for code that connects to it. `{host}`, `{port}`, `{user}`,
    /// `{password}` and `{database}` stand for an argument, `{host=}` and so on for text within a
    /// string; group `block` holds `name: value`
    /// pairs, group `words` a string of `name=value`. What names no host means this machine.
    pub connects: Vec<String>,
    /// Texts of other files that use it.
    pub text: Vec<TextSign>,
    /// Pieces of source code that show that the application also runs without it.
    pub embedded_alternative: Vec<String>,
    /// Packages that show the same: databases within the program.
    #[serde(default)]
    pub embedded_packages: Vec<String>,
    /// Services that this one stands in for, such as MariaDB for MySQL: never both.
    pub instead_of: Vec<String>,
}

/// A file that a command runs by convention.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConventionalFile {
    /// Its names; the first that is there is meant.
    pub names: Vec<String>,
    /// How it is read.
    pub format: ConventionalFormat,
}

/// How a [`ConventionalFile`] is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConventionalFormat {
    /// Rules of make.
    Make,
    /// Shell provisioners of Vagrant.
    Vagrant,
}

/// `recipes/tools/ID.toml`: a command-line tool and what its commands mean in a container.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolRecipe {
    /// Name for people.
    pub title: String,
    /// Names of the command; a version at the end (`python3.8`) need not be listed.
    pub names: Vec<String>,
    /// Flags of all its commands that take a value.
    #[serde(default)]
    pub value_flags: Vec<String>,
    /// Platform that it belongs to, if it is not Debian: `macos`, `windows`, `fedora`, `arch`,
    /// `alpine`.
    #[serde(default)]
    pub platform: Option<String>,
    /// The package of a language that brings it.
    #[serde(default)]
    pub package: Option<ToolPackage>,
    /// Whether it builds pages that may be about an application, whose image has no use for them then.
    #[serde(default)]
    pub documents: bool,
    /// Whether it does nothing useful where the application does not declare it.
    #[serde(default)]
    pub only_declared: bool,
    /// How a command says in which folder, or for which project of a workspace, it runs.
    #[serde(default)]
    pub place: Option<PlaceRecipe>,
    /// Whether an argument with a slash, and neither a URL nor a revision, is a path.
    #[serde(default)]
    pub slash_is_path: bool,
    /// How it is told to download from a mirror.
    #[serde(default)]
    pub mirror: Option<MirrorRecipe>,
    /// What its commands mean; the most specific that fits.
    #[serde(default)]
    pub command: Vec<CommandRule>,
    /// Regular expression for the file that it runs where what it is given is a configuration, first
    /// group the file.
    #[serde(default)]
    pub configured_file: Option<Expression>,
}

/// How a command says in which folder, or for which project of a workspace, it runs.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlaceRecipe {
    /// Flags that take a folder.
    pub folder_flags: Vec<String>,
    /// Flags that take a project of the workspace, by name or folder.
    pub project_flags: Vec<String>,
    /// Words before a project and the rest of the command.
    pub project_words: Vec<String>,
    /// Flags for the top of the workspace.
    pub top_flags: Vec<String>,
    /// Flags and words for all projects.
    pub all: Vec<String>,
    /// What may stand around a project to mean those that it needs, or that need it, too.
    pub around: Vec<String>,
    /// Where this is written.
    pub source: String,
}

/// What a command that runs several others takes for arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Several {
    /// Command lines; `npm:NAME` is a script of the package manifest.
    Lines,
    /// Scripts of the package manifest.
    Scripts,
    /// A script that it runs in each project of a workspace.
    Projects,
}

/// How a tool is told to download from a mirror of its registry.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MirrorRecipe {
    /// Other names by which `longshore.toml` may call the tool.
    #[serde(default)]
    pub names: Vec<String>,
    /// Environment of its commands; `{url}` is the mirror.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// A command right before it, for what no variable says. It runs where the tool is not there yet,
    /// too, and writes the address below `/run/longshore` only, which is in memory where the address
    /// is a secret.
    #[serde(default)]
    pub before: Option<String>,
    /// Files of the build stage; none of them has the address.
    #[serde(default)]
    pub file: Vec<ImageFile>,
}

/// The package of a language that brings a tool.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolPackage {
    /// Stacks whose applications get it from their dependencies.
    pub stacks: Vec<String>,
    /// Names under which it may be declared, the usual one first.
    pub names: Vec<String>,
    /// Command that installs it where it is not declared.
    pub install: String,
}

/// What a command means.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandRule {
    /// Words after the name: literals (`a|b` for either), `*` for one word, `...` for any number;
    /// a flag must be there, in any place.
    pub words: Pattern,
    /// What it means.
    pub does: Does,
    /// Why it is skipped, or what it is, in kebab-case.
    #[serde(default)]
    pub reason: Option<String>,
    /// Of a wrapper: ending of a file's name, without dot → the program that it runs such a file with.
    #[serde(default)]
    pub interpreters: BTreeMap<String, String>,
    /// Platform that it belongs to, where the tool itself is at home on several.
    #[serde(default)]
    pub platform: Option<String>,
    /// The service it is about.
    #[serde(default)]
    pub service: Option<String>,
    /// How a start command is told where to listen.
    #[serde(default)]
    pub listen: Option<Listen>,
    /// Port of a start command that names none.
    #[serde(default)]
    pub port: Option<u16>,
    /// Flags that take the name under which the public finds the application.
    #[serde(default)]
    pub host_flags: Vec<String>,
    /// Flags that take a file which it can do without.
    #[serde(default)]
    pub optional_files: Vec<String>,
    /// Path that must not be in the repository, relative to the folder of the command: what the
    /// command makes is there otherwise.
    #[serde(default)]
    pub unless: Option<String>,
    /// Folder that it makes once and later releases need, relative to the folder of the command: it
    /// is kept in a volume, and the command runs where it is still empty.
    #[serde(default)]
    pub makes: Option<String>,
    /// For a program among the sources: how it is built and then run in the image, where the run
    /// stage has no compiler.
    #[serde(default)]
    pub compiled: Option<CompiledProgram>,
    /// For a command that compiles a program and runs it: which of its words go to the program.
    #[serde(default)]
    pub hands_on: Option<HandsOn>,
    /// Whether it loads the application while the image is built, and so needs its settings.
    #[serde(default)]
    pub loads_application: bool,
    /// Whether it is a development server.
    #[serde(default)]
    pub development: bool,
    /// What its arguments are where it runs several commands.
    #[serde(default)]
    pub several: Option<Several>,
    /// Whether it only runs a file, its first argument, with the runtime of the stack and watches
    /// over it, which an orchestrator does: the runtime runs the file by itself.
    #[serde(default)]
    pub runs_file: bool,
    /// Flags of such a watcher that name the command which runs the file in the runtime's place.
    #[serde(default)]
    pub runs_with: Vec<String>,
    /// Whether a wrapper stays before the command that it runs, because it finds that command.
    #[serde(default)]
    pub keep: bool,
    /// Whether it ends on SIGTERM although it is process 1 of its container.
    #[serde(default)]
    pub handles_stop: bool,
    /// Words to add when it runs unattended.
    #[serde(default)]
    pub add: Vec<String>,
    /// Words to leave out when it runs in an image build.
    #[serde(default)]
    pub drop: Vec<String>,
    /// Manager whose package names it takes: `apt`, `brew`, `yum`, `apk`.
    #[serde(default)]
    pub manager: Option<String>,
    /// For a command that runs what stands in a file by convention.
    #[serde(default)]
    pub file: Option<ConventionalFile>,
    /// For a script of the package manifest: `1` takes its name from the first argument, anything
    /// else is the name.
    #[serde(default)]
    pub script: Option<String>,
}

/// Which words of a command go to the program that it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HandsOn {
    /// Those behind its first argument.
    AfterFirst,
    /// Those behind `--`.
    AfterSeparator,
}

/// What a command means in a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Does {
    /// Installs system packages: the arguments.
    SystemPackages,
    /// Installs dependencies of the application.
    Install,
    /// Builds the application.
    Build,
    /// Prepares a release: migration, seed.
    Prepare,
    /// Starts the application.
    Start,
    /// Starts a further process.
    Process,
    /// Runs a script of the package manifest.
    Script,
    /// Starts or enables backing services: the arguments.
    Services,
    /// Creates a database: the argument.
    CreateDatabase,
    /// Is a client of a service; loads a file given by `<` or a flag.
    ServiceClient,
    /// Copies a file.
    Copy,
    /// Makes a folder.
    MakeFolder,
    /// Sets environment variables: the arguments.
    SetEnv,
    /// Prints its arguments; with a redirection it writes a file.
    Echo,
    /// Changes the folder: the argument.
    ChangeDirectory,
    /// Fetches the repository that is being converted.
    Clone,
    /// Runs the rest of its words as a command.
    Wrapper,
    /// Runs what stands in a file: `file`, or the argument; or the code after `-c`.
    Follow,
    /// Lists scheduled jobs.
    Schedule,
    /// Means nothing in a container, for the reason given.
    Skip,
}

/// A further program of the repository.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompiledProgram {
    /// Command of the build stage; `{folder}` is that of the source, `{name}` its last part.
    pub build: String,
    /// Path of the program, in both stages.
    pub path: String,
}

/// How a start command is told where to listen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Listen {
    /// Flags that take `host:port`.
    pub address_flags: Vec<String>,
    /// Flags that take the host.
    pub host_flags: Vec<String>,
    /// Flags that take the port.
    pub port_flags: Vec<String>,
    /// Whether the last argument is `host:port` or `port`.
    pub argument: bool,
}

/// `recipes/system-packages/ID.toml`: Debian packages and what needs them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SystemPackageTable {
    /// Name for people.
    pub title: String,
    /// Language whose packages `needs` lists.
    #[serde(default)]
    pub language: Option<String>,
    /// What is known of Debian packages.
    #[serde(default)]
    pub package: Vec<DebianPackage>,
    /// Patterns of names that no supported suite of Debian has any more.
    #[serde(default)]
    pub gone: Vec<GonePackages>,
    /// What packages of the language need.
    #[serde(default)]
    pub needs: Vec<PackageNeeds>,
    /// Which Debian package has a file: kind, then file, then package. Names are those of the suite
    /// that most base images have; [`DebianPackage::on`] tells those of others.
    #[serde(default)]
    pub file: BTreeMap<FileKind, BTreeMap<String, String>>,
    /// How the base image of the language is given extensions of the runtime.
    #[serde(default)]
    pub extensions: Option<ExtensionWays>,
    /// Extensions of the language's runtime.
    #[serde(default)]
    pub extension: Vec<Extension>,
}

/// How something is called that a build or a program misses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    /// A header that a compiler includes, such as `openssl/ssl.h`.
    Header,
    /// A module of pkg-config, without `.pc`, such as `cairo`.
    PkgConfig,
    /// A shared object that the loader opens, such as `libGL.so.1`.
    Library,
    /// A library that the linker is told of by `-l`, such as `pq`.
    Linked,
    /// A module of Perl, such as `DBI`.
    PerlModule,
    /// A module of Python, such as `MySQLdb`.
    PythonModule,
    /// A command, such as `pg_config`.
    Command,
    /// A command that `update-alternatives` makes a link for when a package is set up, such as `cc`:
    /// no package lists it. Looked up as [`FileKind::Command`].
    Alternative,
}

/// How the official image of a runtime is given extensions.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExtensionWays {
    /// What stands before the name of an extension where a manifest requires it, such as `ext-`.
    pub prefix: String,
    /// Managers (see [`CommandRule::manager`]) that install extensions by their names.
    #[serde(default)]
    pub managers: Vec<String>,
    /// Regular expression for the system packages of the runtime, which the image has or adds in its
    /// own way; group `name` is what stands for extensions.
    pub system_package: Expression,
    /// Extensions that the image has already.
    #[serde(default)]
    pub present: Vec<String>,
    /// Pieces of source code that ask whether an extension is there, with `{name}` and `{NAME}`: a file with
    /// one does without it.
    #[serde(default)]
    pub guards: Vec<String>,
    /// The commands, by the name of the way.
    pub way: BTreeMap<String, ExtensionWay>,
    /// Absolute paths in which extensions are, for the run stage to take over.
    #[serde(default)]
    pub artifacts: Vec<String>,
    /// Where this is written.
    pub source: String,
}

/// The commands by which extensions are added to an image.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExtensionWay {
    /// Command for an extension with [`Extension::options`], before it is installed; `{name}` and
    /// `{options}` are replaced.
    #[serde(default)]
    pub configure: Option<String>,
    /// Command that installs all that are wanted: `{packages}` are the names to install, `{names}`
    /// those of the extensions.
    pub install: String,
    /// Whether such extensions are parts of the runtime's own source: any of its releases can build them.
    #[serde(default)]
    pub is_part: bool,
}

/// An extension of a runtime.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extension {
    /// Its name, as the runtime lists it.
    pub name: String,
    /// How it is added: a key of [`ExtensionWays::way`].
    pub way: String,
    /// Only versions of the runtime from this one on are meant.
    #[serde(default)]
    pub since: Option<String>,
    /// Only versions of the runtime below this one are meant.
    #[serde(default)]
    pub below: Option<String>,
    /// What is installed for it, where that is not its name: the package of a registry, or a release
    /// that an older runtime still works with.
    #[serde(default)]
    pub package: Option<String>,
    /// Options that it is configured with.
    #[serde(default)]
    pub options: Option<String>,
    /// The command that configures it, where that of its way does not work for it.
    #[serde(default)]
    pub configure: Option<String>,
    /// Debian packages needed to build it.
    #[serde(default)]
    pub build: Vec<String>,
    /// Debian packages needed to run it.
    #[serde(default)]
    pub runtime: Vec<String>,
    /// Other extensions that must be there before it.
    #[serde(default)]
    pub also: Vec<String>,
    /// What stands for it in the name of a system package, where that is not its name.
    #[serde(default)]
    pub packaged_as: Vec<String>,
    /// Pieces of source code that use it.
    #[serde(default)]
    pub code: Vec<String>,
    /// Packages of the language that do not run without it, although no manifest needs to say so.
    #[serde(default)]
    pub used_by: Vec<String>,
    /// Backing services that it reaches for frameworks whose code does not name it.
    #[serde(default)]
    pub services: Vec<String>,
    /// Whether it only helps developers.
    #[serde(default)]
    pub development: bool,
    /// Where this is written.
    pub source: String,
}

/// Names that no supported suite of Debian has any more.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GonePackages {
    /// Pattern of the name, with `*`.
    pub pattern: String,
    /// What became of them.
    pub why: String,
}

/// What is known of a Debian package.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DebianPackage {
    /// Its name.
    pub name: String,
    /// Which stage needs it.
    #[serde(default)]
    pub stage: PackageStage,
    /// Packages that the run stage needs in its place.
    #[serde(default)]
    pub runtime: Vec<String>,
    /// Packages that it only recommends but does not work without: recommended packages are not
    /// installed in an image.
    #[serde(default)]
    pub also: Vec<String>,
    /// How other package managers call it: manager, then names. One name may mean different things
    /// to two managers.
    #[serde(default)]
    pub elsewhere: BTreeMap<String, Vec<String>>,
    /// What suites have in its place that do not have it: suite, then packages; none where nothing
    /// took its place.
    #[serde(default)]
    pub on: BTreeMap<String, Vec<String>>,
    /// How prose calls it, as a thing that the application needs.
    #[serde(default)]
    pub words: Vec<String>,
    /// Packages to install instead; it is gone or renamed.
    #[serde(default)]
    pub instead: Option<Vec<String>>,
    /// Why it is not installed, in kebab-case, where `stage` is `none`.
    #[serde(default)]
    pub reason: Option<String>,
    /// Languages whose base images have it, so that only other stacks install it.
    #[serde(default)]
    pub image_of: Vec<String>,
}

/// Which stage needs a package.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PackageStage {
    /// Only the build stage.
    Build,
    /// Only the run stage.
    Runtime,
    /// Both.
    #[default]
    Both,
    /// Neither: the base image has it, or a container has no use for it.
    None,
}

/// What a package of a language needs from Debian.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackageNeeds {
    /// The package.
    pub package: String,
    /// Only pins below this version are meant: later ones bring what they need, except where a
    /// [`Ceiling`] says that there is no build of the pin for the runtime's version.
    #[serde(default)]
    pub below: Option<String>,
    /// Only an application whose source code has one of these pieces is meant.
    #[serde(default)]
    pub code: Vec<String>,
    /// The package that took its place: this one does not install any more.
    #[serde(default)]
    pub dead: Option<String>,
    /// Needed to build it.
    #[serde(default)]
    pub build: Vec<String>,
    /// Needed to run it.
    #[serde(default)]
    pub runtime: Vec<String>,
    /// Where this is written.
    pub source: String,
}

/// `recipes/words/ID.toml`: words of people, in lists.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WordTable {
    /// Name for people.
    pub title: String,
    /// The lists.
    pub lists: BTreeMap<String, Vec<String>>,
}

/// `recipes/repairs/ID.toml`: a failure that logs show, what causes it, and what to do about it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepairRecipe {
    /// The cause in a few words, with `{name}` for the groups of `log`.
    pub title: String,
    /// Group of causes that it belongs to, such as `python-version-mismatch`.
    pub category: String,
    /// Where the rule comes from.
    pub source: String,
    /// Rules of which this is a special case: they are left out where it fits.
    #[serde(default)]
    pub refines: Vec<String>,
    /// Signs in the log; one is enough.
    #[serde(default)]
    pub log: Vec<LogSign>,
    /// Whether it is tried without a sign in the log where no other rule repairs a build, a prepare
    /// step, a start or a page that fails. Its texts may have `{date}`, the day on which the
    /// repository was last changed.
    #[serde(default)]
    pub last_resort: bool,
    /// Day, ISO 8601, of the oldest tools that a last resort can work with: `{tools_date}` is the later
    /// one of it and `{date}`.
    #[serde(default)]
    pub tools_since: Option<String>,
    /// Whether this is a cause, or only what follows from one.
    #[serde(default)]
    pub certainty: Certainty,
    /// Which table turns what the log names into a package, for `{package}`, and for `{install}`, the
    /// command that installs it in the image of the log.
    #[serde(default)]
    pub look_up: Option<LookUp>,
    /// What must hold of the plan for `edit`.
    #[serde(default)]
    pub when: RepairCondition,
    /// What a person can do: a sentence with `{name}` for the groups of `log`, `{package}` and
    /// `{install}`.
    pub advice: String,
    /// The same where no table knows the package, without `{package}` and `{install}`.
    #[serde(default)]
    pub otherwise: Option<String>,
    /// Edits of the plan that repair it, all together; without any it is only diagnosed.
    #[serde(default)]
    pub edit: Vec<Edit>,
    /// The verdict where nothing repairs it, such as `blocked-private-dependency`.
    #[serde(default)]
    pub blocked: Option<String>,
    /// A log that shows it: a few lines.
    #[serde(default)]
    pub example: Option<String>,
}

/// How near a sign is to the cause.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// It says what is missing or wrong.
    #[default]
    Cause,
    /// It may follow from something else that the log shows, or be harmless.
    Likely,
    /// It says only that a tool failed.
    Symptom,
}

/// A sign of a failure in a log.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSign {
    /// Regular expression for one line; its groups have names.
    pub pattern: Expression,
    /// Regular expression that some other line must match, too: one of the log, the instruction that
    /// failed, or the `FROM` above it.
    #[serde(default)]
    pub with: Option<Expression>,
    /// Regular expression that none of these lines may match.
    #[serde(default)]
    pub without: Option<Expression>,
}

impl LogSign {
    /// Returns the first of `lines` that shows it, from 0, with what its expression captures; only
    /// the lines `spots` may, where that is known. `beside` are further lines for `with` and `without`.
    pub fn find<'l>(
        &self,
        lines: &[&'l str],
        spots: Option<&[usize]>,
        beside: &[&str],
    ) -> Option<(usize, regex::Captures<'l>)> {
        let captured = |index: usize| Some((index, self.pattern.captures(lines[index])?));
        let found = match spots {
            Some(spots) => spots.iter().copied().find_map(captured),
            None => (0..lines.len()).find_map(captured),
        }?;
        let is_there = |expression: &Expression| {
            lines
                .iter()
                .chain(beside)
                .any(|line| expression.is_match(line))
        };
        let fits =
            self.with.as_ref().is_none_or(is_there) && !self.without.as_ref().is_some_and(is_there);
        fits.then_some(found)
    }
}

/// How a name in a log becomes a package.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookUp {
    /// The group of the log's expression with the name.
    pub name: String,
    /// What kind of file it is, for a name that is not in `table`; see [`FileKind`].
    #[serde(default)]
    pub kind: Option<FileKind>,
    /// Whether it is a Debian package that another one took the place of on this suite.
    #[serde(default)]
    pub renamed: bool,
    /// Names that differ from the package's, such as `PIL` → `pillow`; a name that is not in it
    /// stays, unless `kind` or `renamed` says otherwise.
    #[serde(default)]
    pub table: BTreeMap<String, String>,
}

/// What must hold of the plan.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RepairCondition {
    /// Runtimes, any if empty.
    pub runtimes: Vec<String>,
    /// Where it failed, anywhere if empty.
    pub during: Vec<Stage>,
    /// Text that a command of the plan has.
    pub command: Option<String>,
}

/// Where something fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// While the image is built.
    Build,
    /// While a release is prepared.
    Prepare,
    /// While the application starts or runs.
    Run,
}

/// One edit of the plan; values have `{name}` for the groups of the log's expression and `{package}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Edit {
    /// Adds Debian packages.
    AddPackages {
        /// To the build stage.
        #[serde(default)]
        build: Vec<String>,
        /// To the run stage.
        #[serde(default)]
        run: Vec<String>,
    },
    /// Takes a Debian package out of both stages.
    RemovePackage {
        /// Its name.
        package: String,
    },
    /// Adds a command that installs something.
    AddInstall {
        /// The command.
        command: String,
        /// Whether it runs before the others.
        #[serde(default)]
        first: bool,
        /// Whether it runs when everything is built, so that nothing takes it away again.
        #[serde(default)]
        late: bool,
    },
    /// Replaces a piece of install and build commands.
    ReplaceInCommands {
        /// The piece.
        piece: String,
        /// What stands there then.
        by: String,
    },
    /// Leaves out the build commands that have a piece.
    RemoveCommand {
        /// The piece.
        piece: String,
    },
    /// Takes another version of the runtime.
    SetVersion {
        /// The version, `older` and `newer` for the next one in the catalogue, or `of-its-time` for
        /// what was new when the repository was last changed, where nobody asked for a version.
        version: String,
    },
    /// Puts words before the start command, after the small init that passes signals on.
    WrapStart {
        /// The words; a shell that runs the rest of them ends in `exec "$@"` and a name for `$0`.
        words: Vec<String>,
    },
    /// Sets a variable of the build stage.
    SetBuildEnv {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
    /// Sets a variable of the application.
    SetEnv {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
    /// Lets the application write to a folder.
    AddVolume {
        /// The folder, absolute or relative to the application.
        path: String,
        /// Whether what is written is kept.
        #[serde(default)]
        persistent: bool,
        /// Whether what the image has there becomes the first contents; found out by the repair.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        seeded: bool,
    },
    /// Runs the application once as root with a root file system that can be written, and makes what
    /// it then writes writable: see `add-volume` and `link-file`.
    TraceWrites {
        /// Endings of the files that count, where it writes such files.
        #[serde(default)]
        endings: Vec<String>,
    },
    /// Keeps a file of the application on a volume, with a link where the application looks for it.
    LinkFile {
        /// The file, absolute.
        path: String,
        /// Whether it is made again by each run, so that it need not be kept.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        scratch: bool,
    },
    /// Leaves out the last of the prepare commands that only a recipe asks for.
    SkipPrepare {},
    /// Gives the application more memory.
    MoreMemory {},
}
