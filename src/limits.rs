//! How much of an input is read: what lies beyond is cut with a finding.

/// Largest file of a repository that is read, in bytes. Sources and documents of people are smaller;
/// what is larger was made by a program.
pub const FILE: u64 = 2 << 20;
/// Most bytes of a repository that are read in all: they stay in memory.
pub const TOTAL: u64 = 256 << 20;
/// Most files of a repository that are looked at.
pub const FILES: usize = 20_000;
/// Most names in the folders of a repository that are listed, to choose these from.
pub const LISTED: usize = 200_000;
/// How many folders deep a repository is looked at.
pub const DEPTH: usize = 10;
/// Most steps of the documents of a repository. The longest guides of people have some hundreds.
pub const STEPS: usize = 20_000;
/// Most bytes of files that the steps of documents run, each as often as it is run.
pub const FOLLOWED: usize = 32 << 20;
/// Most variables of a component; Kubernetes takes a mebibyte of them, and the largest applications have
/// some hundreds.
pub const VARIABLES: usize = 2_000;
/// Most further processes of a component, and most scheduled jobs.
pub const PROCESSES: usize = 100;
/// Most members of a workspace that are built with one that needs them.
pub const NEEDED: usize = 200;
/// Largest record of an earlier run, in bytes: its largest part is a digest for each file.
pub const STATE: u64 = 4 << 20;
/// Largest file of a user's recipes, in bytes; the largest built-in one has 70 kB.
pub const RECIPE: u64 = 1 << 20;
/// Most files of a user's recipes.
pub const RECIPES: usize = 5_000;
/// Largest file that the user names on the command line, other than a log, in bytes.
pub const NAMED: u64 = 2 << 20;
/// Bytes at each end of a log that are read.
pub const LOG_END: u64 = 8 << 20;
/// Most bytes that are read of a pipe, of which only the ends are kept.
pub const PIPE: u64 = 1 << 30;
/// Largest memory of a batch, in bytes.
pub const MEMORY: u64 = 64 << 20;
/// Most variables of a Makefile that are replaced for a target: a value may name itself many times
/// over. The longest Makefiles of people replace some thousands.
pub const EXPANSIONS: usize = 200_000;
/// Most bytes that these become: twice the largest Makefile.
pub const EXPANDED: usize = 4 << 20;
