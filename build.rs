//! Tells cargo that a new file in `migrations/` is a reason to rebuild: the embedding macro only notices edits.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
