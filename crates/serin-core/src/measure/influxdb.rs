//! The provider `influxdb`: a query in Flux, answered in annotated CSV.

use std::time::Duration;

use serde_json::{Value, json};

use super::address::Address;
use super::inquiry::Inquiry;
use super::port::{Datum, Finding, Reading, Scene, Unfinished, failed};
use super::{body, headers, notation};
use crate::api::metric::InfluxdbMetric;
use crate::domain::effect::HttpRequest;

/// The Secret of metrics that name none.
const SECRET: &str = "influxdb";

/// The time for an answer.
const LIMIT: Duration = Duration::from_secs(30);

/// Sends the query, and gives the `_value` of all records.
pub(super) fn measure(
    influxdb: &InfluxdbMetric,
    scene: &Scene<'_>,
    inquiry: &mut Inquiry<'_>,
) -> Result<Finding, Unfinished> {
    let name = influxdb.profile.as_deref().unwrap_or(SECRET);
    let mut key = |key| {
        let found = inquiry.secret_key(&scene.settings.namespace, name, key)?;
        Ok(found.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()))
    };
    let (Some(token), Some(org), Some(address)) = (key("authToken")?, key("org")?, key("address")?) else {
        return Err(failed("authToken, org, or address not found"));
    };
    inquiry.conceal(&token);
    let address = Address::parse(&address);
    let address = address.ok_or_else(|| failed("the address of InfluxDB is not a URL"))?;
    let body = json!({
        "query": influxdb.query.as_deref().unwrap_or_default(),
        "type": "flux",
        "dialect": {"annotations": ["datatype", "group", "default"], "delimiter": ",", "header": true},
    });
    let mut request = HttpRequest::post(address.join("/api/v2/query", &[("org", &org)]), body.to_string());
    headers::set_header(&mut request, "Authorization", format!("Token {token}"));
    headers::set_header(&mut request, "Content-Type", "application/json; charset=utf-8");
    headers::set_header(&mut request, "Accept", "text/csv");
    let response = inquiry.exchange("query", request, LIMIT)?;
    if !(200..300).contains(&response.status) {
        let answer = body::parse(response.body).unwrap_or_default();
        return Err(failed(match (answer["code"].as_str(), answer["message"].as_str()) {
            (Some(code), Some(message)) => format!("{code}: {message}"),
            (Some(_) | None, _) => {
                format!("response code {}: {}", response.status, body::quote(response.body))
            }
        }));
    }
    let cells = cells(response.body)?;
    if cells.is_empty() {
        return Err(failed("no results returned from flux query"));
    }
    Ok(Finding::Result(reading(cells)))
}

/// A value of a record.
enum Cell {
    Nothing,
    Number(f64),
    Bool(bool),
    Text(String),
}

/// The result: numbers as they are, and anything else as JSON.
fn reading(cells: Vec<Cell>) -> Reading {
    let value = notation::list(&cells, " ", |cell| match cell {
        Cell::Nothing => "<nil>".to_owned(),
        Cell::Number(number) => notation::short_number(*number),
        Cell::Bool(answer) => answer.to_string(),
        Cell::Text(text) => text.clone(),
    });
    let numbers = cells.iter().map(|cell| if let Cell::Number(number) = cell { Some(*number) } else { None });
    let datum = match numbers.collect() {
        Some(numbers) => Datum::Floats(numbers),
        None => Datum::Json(cells.into_iter().map(json_of).collect()),
    };
    Reading::new(datum, value)
}

fn json_of(cell: Cell) -> Value {
    match cell {
        Cell::Nothing => Value::Null,
        Cell::Number(number) => number.into(),
        Cell::Bool(answer) => answer.into(),
        Cell::Text(text) => text.into(),
    }
}

/// The columns of a table: the types, the values where cells are empty, and the names.
#[derive(Default)]
struct Table {
    types: Vec<String>,
    defaults: Vec<String>,
    names: Option<Vec<String>>,
}

impl Table {
    /// The cell of a row in the column of that name.
    fn text<'a>(&'a self, row: &'a csv::StringRecord, name: &str) -> Option<(&'a str, &'a str)> {
        let column = self.names.as_ref()?.iter().position(|other| other == name)?;
        let text = row.get(column).filter(|text| !text.is_empty());
        let text = text.or_else(|| self.defaults.get(column).map(String::as_str)).unwrap_or_default();
        Some((self.types.get(column).map_or("string", String::as_str), text))
    }
}

/// The values of all records of all tables.
fn cells(body: &[u8]) -> Result<Vec<Cell>, Unfinished> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(body);
    let mut table = Table::default();
    let mut cells = Vec::new();
    for row in reader.records() {
        let row = row.map_err(|error| failed(format!("the answer is not CSV: {error}")))?;
        let words = || row.iter().map(str::to_owned).collect::<Vec<_>>();
        match row.get(0) {
            Some("#datatype") => table = Table { types: words(), ..Table::default() },
            Some("#default") => table.defaults = words(),
            Some(note) if note.starts_with('#') => {}
            Some(_) | None if table.names.is_none() => table.names = Some(words()),
            Some(_) | None => {
                if let Some((_, problem)) = table.text(&row, "error").filter(|(_, text)| !text.is_empty()) {
                    return Err(failed(problem));
                }
                cells.push(cell(table.text(&row, "_value"))?);
            }
        }
    }
    Ok(cells)
}

fn cell(typed: Option<(&str, &str)>) -> Result<Cell, Unfinished> {
    let problem = |text: &str| failed(format!("the answer has a value that is not of its type: {text}"));
    match typed {
        Some(("string", text)) => Ok(Cell::Text(text.to_owned())),
        None | Some((_, "")) => Ok(Cell::Nothing),
        Some(("double" | "long" | "unsignedLong", text)) => {
            text.parse().map(Cell::Number).map_err(|_| problem(text))
        }
        Some(("boolean", text)) => text.parse().map(Cell::Bool).map_err(|_| problem(text)),
        Some((_, text)) => Ok(Cell::Text(text.to_owned())),
    }
}
