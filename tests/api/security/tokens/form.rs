//! Refused before anything in it is read: not a JWS in compact form.

use serde_json::json;

use super::support::{Service, claims, decode, encode, parts};

#[test]
fn empty() {
    assert_eq!(Service::start().verdict(""), "parts");
}

#[test]
fn two_parts() {
    let service = Service::start();
    let token = service.token();
    let [header, claims, _] = parts(&token);
    assert_eq!(service.verdict(&format!("{header}.{claims}")), "parts");
}

#[test]
fn four_parts() {
    let service = Service::start();
    let token = service.token();
    let [_, _, signature] = parts(&token);
    assert_eq!(service.verdict(&format!("{token}.{signature}")), "parts");
}

#[test]
fn four_parts_the_last_empty() {
    let service = Service::start();
    assert_eq!(service.verdict(&format!("{}.", service.token())), "parts");
}

#[test]
fn jwe_in_five_parts() {
    let service = Service::start();
    let header = encode(r#"{"alg":"dir","enc":"A256GCM"}"#);
    assert_eq!(service.verdict(&format!("{header}..aXY.Y2lwaGVy.dGFn")), "parts");
}

#[test]
fn json_serialisation() {
    let service = Service::start();
    let token = service.token();
    let [protected, payload, signature] = parts(&token);
    let json = json!({ "protected": protected, "payload": payload, "signature": signature });
    assert_eq!(service.verdict(&json.to_string()), "parts");
}

/// Dots in the unsigned `header` make it three parts.
#[test]
fn json_serialisation_in_three_parts() {
    let service = Service::start();
    let token = service.token();
    let [protected, payload, signature] = parts(&token);
    let json = format!(
        r#"{{"header":{{"a":"x.y.z"}},"protected":"{protected}","payload":"{payload}","signature":"{signature}"}}"#
    );
    assert_eq!(service.verdict(&json), "header");
}

#[test]
fn header_empty() {
    let service = Service::start();
    let token = service.token();
    let [_, claims, signature] = parts(&token);
    assert_eq!(service.verdict(&format!(".{claims}.{signature}")), "parts");
}

#[test]
fn claims_empty() {
    let service = Service::start();
    assert_eq!(service.verdict(&service.forge(&service.header().to_string(), "")), "parts");
}

#[test]
fn signature_stripped() {
    let service = Service::start();
    let token = service.token();
    let [header, claims, _] = parts(&token);
    assert_eq!(service.verdict(&format!("{header}.{claims}.")), "parts");
}

#[test]
fn alg_none_with_the_signature_stripped() {
    let service = Service::start();
    let header = encode(service.header_with("alg", json!("none")).to_string());
    let token = format!("{header}.{}.", encode(claims().to_string()));
    assert_eq!(service.verdict(&token), "parts");
}

#[test]
fn white_space_around_it() {
    let service = Service::start();
    assert_eq!(service.verdict(&format!(" {}", service.token())), "header");
}

#[test]
fn line_end_behind_it() {
    let service = Service::start();
    assert_eq!(service.verdict(&format!("{}\n", service.token())), "signature");
}

#[test]
fn header_in_padded_base64() {
    let service = Service::start();
    // Spaces until the encoding would need padding.
    let mut header = service.header().to_string();
    while header.len().is_multiple_of(3) {
        header.insert(1, ' ');
    }
    let token = service.forge(&header, &claims().to_string());
    assert_eq!(service.verdict(&token), "accepted");
    let [encoded, rest] = token.splitn(2, '.').collect::<Vec<_>>().try_into().unwrap();
    let padding = "=".repeat(4 - encoded.len() % 4);
    assert_eq!(service.verdict(&format!("{encoded}{padding}.{rest}")), "header");
}

/// Another spelling of the same bytes would be another token for the same claims.
#[test]
fn signature_in_base64_with_stray_bits() {
    let service = Service::start();
    let token = service.token();
    let last = token.chars().last().unwrap();
    // Of 64 bytes the last character holds two bits; these four differ in the rest.
    let stray = match last {
        'A' => 'B',
        'Q' => 'R',
        'g' => 'h',
        'w' => 'x',
        other => panic!("{other} was not canonical to begin with"),
    };
    let spelt = format!("{}{stray}", &token[..token.len() - 1]);
    assert_eq!(service.verdict(&spelt), "signature");
}

#[test]
fn signature_in_the_other_base64_alphabet() {
    let service = Service::start();
    let (token, spelt) = std::iter::repeat_with(|| service.token())
        .map(|token| {
            let (signed, signature) = token.rsplit_once('.').unwrap();
            let spelt = format!("{signed}.{}", signature.replace('-', "+").replace('_', "/"));
            (token, spelt)
        })
        .find(|(token, spelt)| token != spelt)
        .unwrap();
    assert_eq!(service.verdict(&token), "accepted");
    assert_eq!(service.verdict(&spelt), "signature");
}

#[test]
fn longer_than_8192_bytes() {
    let service = Service::start();
    let token = of_length(&service, 8193);
    assert_eq!(service.verdict(&token), "length");
}

#[test]
fn of_8192_bytes_it_is_accepted() {
    let service = Service::start();
    let token = of_length(&service, 8192);
    assert_eq!(service.verdict(&token), "accepted");
}

/// A faultless token made long with spaces in its header and claims.
fn of_length(service: &Service, bytes: usize) -> String {
    let fill = |json: String, spaces: usize| format!("{}{}", json, " ".repeat(spaces));
    (0..4)
        .flat_map(|spaces| {
            let header = fill(service.header().to_string(), spaces);
            let fixed = encode(&header).len() + 88;
            let spaces = ((bytes - fixed) * 3 / 4) - claims().to_string().len();
            (spaces - 1..=spaces + 1)
                .map(|spaces| service.forge(&header, &fill(claims().to_string(), spaces)))
                .collect::<Vec<_>>()
        })
        .inspect(|token| assert!(!decode(parts(token)[1]).is_empty()))
        .find(|token| token.len() == bytes)
        .unwrap()
}
