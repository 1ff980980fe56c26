//! Whether what a fake of Twilio's answers is what Twilio's OpenAPI file says that it answers.
//!
//! A member that the file does not know, or one of another type, enum or length, is a mistake of the fake: callsink would
//! be tested against something that Twilio never sends. Members may be missing: the file requires none.
//! Why not a library: OpenAPI 3.0 has its own `nullable`, which validators of JSON Schema don't know.

use serde_json::Value;

/// What of `answer` to `method` on `path` is not as `api` says.
pub fn mistakes_of_answer(
    api: &Value,
    method: &str,
    path: &str,
    status: u16,
    answer: &Value,
) -> Vec<String> {
    if status >= 400 {
        return Vec::new(); // errors are described in prose only
    }
    let paths = api["paths"].as_object().expect("paths");
    let Some(template) = paths.keys().find(|template| fits(template, path)) else {
        return vec![format!("{path} is no path")];
    };
    let response = &paths[template][method.to_lowercase()]["responses"][status.to_string()];
    if response.is_null() {
        return vec![format!("{method} {path} is never answered {status}")];
    }
    let schema = &response["content"]["application/json"]["schema"];
    if schema.is_null() {
        let is_silent = answer.is_null();
        return if is_silent { vec![] } else { vec![format!("{method} {path} has no body")] };
    }
    let mut mistakes = Vec::new();
    check(api, schema, answer, &format!("answer to {method} {path}"), &mut mistakes);
    mistakes
}

fn fits(template: &str, path: &str) -> bool {
    let (known, parts) = (template.split('/'), path.split('/'));
    known.clone().count() == parts.clone().count()
        && known.zip(parts).all(|(known, part)| known.starts_with('{') || known == part)
}

fn check(api: &Value, schema: &Value, value: &Value, place: &str, mistakes: &mut Vec<String>) {
    if let Some(path) = schema["$ref"].as_str() {
        let named = api.pointer(&path[1..]).unwrap_or_else(|| panic!("{path} is not there"));
        // Beside `$ref` a schema may still say that it is nullable.
        if !(value.is_null() && schema["nullable"] == true) {
            check(api, named, value, place, mistakes);
        }
        return;
    }
    if value.is_null() {
        if schema["nullable"] != true {
            mistakes.push(format!("{place} is null"));
        }
        return;
    }
    let is_of_type = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        _ => true,
    };
    if !is_of_type {
        mistakes.push(format!("{place} is {value}, which is no {}", schema["type"]));
        return;
    }
    if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
        mistakes.push(format!("{place} is {value}, which is none of {}", schema["enum"]));
    }
    let length = value.as_str().map(|text| text.chars().count() as u64);
    if schema["minLength"].as_u64().zip(length).is_some_and(|(least, length)| length < least)
        || schema["maxLength"].as_u64().zip(length).is_some_and(|(most, length)| length > most)
    {
        mistakes.push(format!("{place} is {value}: of another length"));
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        check(api, &schema["items"], item, &format!("{place}[{index}]"), mistakes);
    }
    // An object without properties is open.
    let Some(properties) = schema["properties"].as_object() else { return };
    for (name, member) in value.as_object().into_iter().flatten() {
        match properties.get(name) {
            Some(schema) => check(api, schema, member, &format!("{place}.{name}"), mistakes),
            None => mistakes.push(format!("{place}.{name} is no member")),
        }
    }
}

#[test]
fn an_answer_that_twilio_would_not_give_is_found_out() {
    let api: Value =
        serde_json::from_str(include_str!("../../fixtures/openapi/twilio_events_v1.json"))
            .expect("JSON");
    let mistakes = |status, answer: Value| {
        mistakes_of_answer(&api, "GET", "/v1/Sinks", status, &answer).join("\n")
    };
    let sinks = |sink: Value| serde_json::json!({ "sinks": [sink] });
    assert_eq!(mistakes(200, sinks(serde_json::json!({ "status": "active" }))), "");
    assert!(mistakes(200, sinks(serde_json::json!({ "status": 1 }))).contains("no \"string\""));
    assert!(mistakes(200, sinks(serde_json::json!({ "status": "gone" }))).contains("none of"));
    assert!(mistakes(200, sinks(serde_json::json!({ "sid": "DG1" }))).contains("another length"));
    assert!(mistakes(200, sinks(serde_json::json!({ "name": "x" }))).contains("no member"));
    assert!(mistakes(200, serde_json::json!({ "sinks": {} })).contains("no \"array\""));
    assert!(mistakes(202, serde_json::json!({})).contains("never answered 202"));
}
