//! The answered questions: each query runs for a reader and answers.

use super::seed::{project, seeded};
use sqlx::AssertSqlSafe;

#[tokio::test]
async fn each_of_the_questions_is_answered_to_a_reader() {
    let mut connection = seeded().await.connect().await;
    sqlx::raw_sql("SET ROLE callsink_reader").execute(&mut connection).await.expect("a role");
    let page = std::fs::read_to_string(project("docs/questions.md")).expect("the page");
    let directory = std::fs::read_dir(project("docs/questions")).expect("the queries");
    let mut files: Vec<_> = directory.map(|entry| entry.expect("readable").path()).collect();
    files.sort();
    assert_eq!(files.len(), 25, "{files:?}");
    for (number, file) in (1..).zip(&files) {
        let name = file.file_name().expect("a name").to_string_lossy();
        assert!(name.starts_with(&format!("{number:02}-")), "{name} is not question {number}");
        let sql = std::fs::read_to_string(file).expect("SQL");
        let question = sql.lines().next().and_then(|line| line.strip_prefix("-- "));
        let question = question.unwrap_or_else(|| panic!("{name} does not say its question"));
        let query = sql.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>();
        for part in [question, query.join("\n").as_str()] {
            assert!(page.contains(part), "{name}: run scripts/answer-questions, as it has changed");
        }
        let answer = sqlx::raw_sql(AssertSqlSafe(sql.clone())).fetch_all(&mut connection).await;
        let rows = answer.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!rows.is_empty(), "{name} answers nothing:\n{sql}");
    }
}
