//! A random walk of creating, changing and deleting feedback: any two published states of a figure differ in at least
//! three municipalities.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use uuid::Uuid;

use super::{CODES, Scene, scene};
use crate::support::client::Answer;

/// The sorted values that a municipality's answers have for a figure.
type State = BTreeMap<&'static str, Vec<String>>;
const FIGURES: [&str; 4] = ["count", "rating", "useful", "themes_wanted"];

/// A deterministic generator (`SplitMix64`): the same walk on every run.
struct Dice(u64);

impl Dice {
    /// Returns a number below this one.
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % below as u64).unwrap()
    }

    fn fields(&mut self) -> Value {
        let rating = [Value::Null, json!(1), json!(2), json!(4), json!(5)][self.roll(5)].clone();
        let useful = [Value::Null, json!(true), json!(false)][self.roll(3)].clone();
        let themes = [json!([]), json!(["email"]), json!(["applications", "email"])][self.roll(3)].clone();
        json!({"rating": rating, "useful": useful, "themes_wanted": themes, "comment": "x", "publish_consent": true})
    }
}

/// Returns the current values of each figure, by municipality.
fn now(answers: &[(usize, Answer)]) -> BTreeMap<&'static str, State> {
    let mut states: BTreeMap<_, State> = FIGURES.map(|figure| (figure, State::new())).into();
    for (municipality, answer) in answers {
        let body = &answer.body;
        let mut say = |figure, value: String| {
            states.get_mut(figure).unwrap().entry(CODES[*municipality]).or_default().push(value);
        };
        say("count", "given".into());
        for figure in ["rating", "useful"] {
            if !body[figure].is_null() {
                say(figure, body[figure].to_string());
            }
        }
        for slug in body["themes_wanted"].as_array().unwrap() {
            say("themes_wanted", slug.to_string());
        }
    }
    states.values_mut().flat_map(|state| state.values_mut()).for_each(|values| values.sort());
    states
}

fn differing(one: &State, other: &State) -> usize {
    let codes: BTreeSet<_> = one.keys().chain(other.keys()).collect();
    codes.iter().filter(|code| one.get(**code) != other.get(**code)).count()
}

/// Returns the published figure, from value to count.
fn shown(published: &Value, figure: &str) -> BTreeMap<String, i64> {
    let counts = match figure {
        "count" => json!({"given": published["count"]}),
        "rating" => published["rating"]["distribution"].clone(),
        "useful" => {
            let yes = published["useful"]["yes"].as_i64().unwrap_or_default();
            json!({"true": yes, "false": published["useful"]["count"].as_i64().unwrap_or_default() - yes})
        }
        _ => published["themes_wanted"].clone(),
    };
    let counts = counts.as_object().cloned().unwrap_or_default().into_iter();
    counts.map(|(value, count)| (value, count.as_i64().unwrap())).filter(|(_, count)| *count > 0).collect()
}

fn total(state: &State) -> BTreeMap<String, i64> {
    let mut counts = BTreeMap::new();
    for value in state.values().flatten() {
        *counts.entry(value.trim_matches('"').to_owned()).or_default() += 1;
    }
    counts
}

/// Gives several answers in one statement.
async fn give_together(scene: &Scene, answers: &mut Vec<(usize, Answer)>, dice: &mut Dice, municipalities: usize) {
    let given: Vec<_> =
        (0..2 + dice.roll(3)).map(|_| (Uuid::now_v7(), dice.roll(municipalities), dice.fields())).collect();
    let rows = given.iter().map(|(id, municipality, fields)| {
        let mut row = json!({
            "id": id, "source": "region", "event_id": scene.event, "direction": "participant_to_tutor",
            "municipality_code": CODES[*municipality], "respondent": id
        });
        json_patch::merge(&mut row, fields);
        row
    });
    let columns = "id, source, event_id, direction, municipality_code, respondent, rating, useful, themes_wanted, comment, \
                   publish_consent";
    let rows = Value::Array(rows.collect());
    let insert = format!(
        "insert into feedback ({columns}) select {columns} from jsonb_populate_recordset(null::feedback, '{rows}')"
    );
    scene.server.execute(&insert).await;
    for (id, municipality, _) in given {
        answers.push((municipality, scene.partner.get(&format!("/v1/feedback/{id}")).await.expect(200)));
    }
}

async fn act(scene: &Scene, answers: &mut Vec<(usize, Answer)>, dice: &mut Dice, municipalities: usize) {
    match dice.roll(10) {
        0 => give_together(scene, answers, dice, municipalities).await,
        1..5 => {
            let municipality = dice.roll(municipalities);
            answers.push((municipality, scene.give(CODES[municipality], dice.fields()).await));
        }
        _ if answers.is_empty() => {}
        5..7 => {
            let index = dice.roll(answers.len());
            let (municipality, answer) = &answers[index];
            answers[index] = (*municipality, scene.edit(answer, dice.fields()).await);
        }
        _ => scene.delete(&answers.swap_remove(dice.roll(answers.len())).1).await,
    }
}

#[tokio::test]
async fn no_two_published_states_differ_in_one_or_two_municipalities() {
    // With few municipalities a total often returns to an earlier value.
    tokio::join!(walk(4), walk(7));
}

async fn walk(municipalities: usize) {
    let scene = scene().await;
    let mut dice = Dice(municipalities as u64);
    let mut answers = Vec::new();
    let mut states: BTreeMap<_, Vec<State>> = FIGURES.map(|figure| (figure, vec![State::new()])).into();
    for _ in 0..300 {
        act(&scene, &mut answers, &mut dice, municipalities).await;
        let (published, now) = (scene.published().await, now(&answers));
        for (figure, earlier) in &mut states {
            let shown = shown(&published, figure);
            if shown == total(earlier.last().unwrap()) {
                continue;
            }
            // A figure that changed must equal the current values and differ enough from every earlier state.
            assert_eq!(shown, total(&now[figure]), "{figure}");
            for state in earlier.iter() {
                let differing = differing(state, &now[figure]);
                assert!(differing == 0 || differing >= 3, "{figure}: {differing}: {state:?}, {:?}", now[figure]);
            }
            earlier.push(now[figure].clone());
        }
    }
    for (figure, states) in states {
        assert!(states.len() > 8, "{figure} was published {} times", states.len());
    }
    assert_eq!(scene.verify().await, [""; 0]);
}
