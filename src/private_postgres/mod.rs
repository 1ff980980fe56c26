//! Private PostgreSQL (being written).
#![allow(missing_docs)]
pub enum Durability {
    Full,
    TestsOnly,
}
pub struct PrivatePostgres;
impl PrivatePostgres {
    pub fn start(_: &std::path::Path, _: Durability) -> anyhow::Result<Self> {
        anyhow::bail!("stub")
    }
    pub fn url(&self) -> &secrecy::SecretString {
        panic!()
    }
    pub fn stop(self) -> anyhow::Result<()> {
        Ok(())
    }
}
