//! Tokens that the service refuses before it decodes them: they are not a JWS in compact form.

use serde_json::json;

use super::support::{Service, claims, decode, encode, parts};

#[test]
fn an_empty_token_is_refused() {
    assert_eq!(Service::start().verdict(""), "parts");
}

#[test]
fn a_token_of_two_parts_is_refused() {
    let service = Service::start();
    let token = service.token();
    let [header, claims, _] = parts(&token);
    assert_eq!(service.verdict(&format!("{header}.{claims}")), "parts");
}

#[test]
fn a_token_of_four_parts_is_refused() {
    let service = Service::start();
    let token = service.token();
    let [_, _, signature] = parts(&token);
    assert_eq!(service.verdict(&format!("{token}.{signature}")), "parts");
}

#[test]
fn a_token_with_an_empty_fourth_part_is_refused() {
    let service = Service::start();
    assert_eq!(service.verdict(&format!("{}.", service.token())), "parts");
}

#[test]
fn a_jwe_of_five_parts_is_refused() {
    let service = Service::start();
    let header = encode(r#"{"alg":"dir","enc":"A256GCM"}"#);
    assert_eq!(service.verdict(&format!("{header}..aXY.Y2lwaGVy.dGFn")), "parts");
}

#[test]
fn a_jws_in_json_serialisation_is_refused() {
    let service = Service::start();
    let token = service.token();
    let [protected, payload, signature] = parts(&token);
    let json = json!({ "protected": protected, "payload": payload, "signature": signature });
    assert_eq!(service.verdict(&json.to_string()), "parts");
}

/// Two dots in the unsigned `header` split the text into three parts.
#[test]
fn a_jws_in_json_serialisation_with_two_dots_is_refused() {
    let service = Service::start();
    let token = service.token();
    let [protected, payload, signature] = parts(&token);
    let json = format!(
        r#"{{"header":{{"a":"x.y.z"}},"protected":"{protected}","payload":"{payload}","signature":"{signature}"}}"#
    );
    assert_eq!(service.verdict(&json), "header");
}

#[test]
fn an_empty_header_is_refused() {
    let service = Service::start();
    let token = service.token();
    let [_, claims, signature] = parts(&token);
    assert_eq!(service.verdict(&format!(".{claims}.{signature}")), "parts");
}

#[test]
fn empty_claims_are_refused() {
    let service = Service::start();
    assert_eq!(service.verdict(&service.forge(&service.header().to_string(), "")), "parts");
}

#[test]
fn a_stripped_signature_is_refused() {
    let service = Service::start();
    let token = service.token();
    let [header, claims, _] = parts(&token);
    assert_eq!(service.verdict(&format!("{header}.{claims}.")), "parts");
}

#[test]
fn alg_none_with_a_stripped_signature_is_refused() {
    let service = Service::start();
    let header = encode(service.header_with("alg", json!("none")).to_string());
    let token = format!("{header}.{}.", encode(claims().to_string()));
    assert_eq!(service.verdict(&token), "parts");
}

#[test]
fn white_space_around_a_token_is_refused() {
    let service = Service::start();
    assert_eq!(service.verdict(&format!(" {}", service.token())), "header");
}

#[test]
fn a_line_end_after_a_token_is_refused() {
    let service = Service::start();
    assert_eq!(service.verdict(&format!("{}\n", service.token())), "signature");
}

#[test]
fn a_header_in_padded_base64_is_refused() {
    let service = Service::start();
    // Adds spaces until the encoding would need padding.
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

/// Two spellings of the same bytes would be two tokens with the same claims.
#[test]
fn a_signature_in_base64_with_stray_bits_is_refused() {
    let service = Service::start();
    let token = service.token();
    let last = token.chars().last().unwrap();
    // The last character of 64 bytes holds two bits of them; these four characters differ only in the other bits.
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
fn a_signature_in_the_standard_base64_alphabet_is_refused() {
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
fn a_token_longer_than_8192_bytes_is_refused() {
    let service = Service::start();
    let token = of_length(&service, 8193);
    assert_eq!(service.verdict(&token), "length");
}

#[test]
fn a_token_of_8192_bytes_is_accepted() {
    let service = Service::start();
    let token = of_length(&service, 8192);
    assert_eq!(service.verdict(&token), "accepted");
}

/// Returns a good token that spaces in its header and claims make this long.
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
