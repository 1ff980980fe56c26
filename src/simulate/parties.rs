//! Who calls whom.
//!
//! In: type and direction of a call. Out: both sides, and what the outer one brings with it.
//! Promises: numbers, addresses and names are reserved for fiction and documentation.

use super::call::{Browser, CallType, Device, Party, Schema, Sdk, Versioned};
use super::dice::{Dice, six_decimals};
use super::places::{self, Country, Place};

/// Both sides of a call.
pub(super) struct Parties {
    pub(super) from: Party,
    pub(super) to: Party,
    /// Of the side that is not Twilio's.
    pub(super) country: &'static Country,
    pub(super) carrier_is_poor: bool,
}

/// Two sides for a call.
pub(super) fn parties(
    dice: &mut Dice,
    call_type: CallType,
    direction: &'static str,
    schema: Schema,
) -> Parties {
    let place = places::any(dice);
    let country = places::country(place);
    let carrier = dice.one_of(country.carriers);
    let phone = phone(dice, place, carrier.name);
    let ours = our_number(dice, country);
    let (from, to) = match (call_type, direction) {
        (CallType::Carrier, "inbound") => (phone, ours),
        (CallType::Carrier, _) => (ours, phone),
        (CallType::Sip, "inbound") => (sip(dice), ours),
        (CallType::Sip, _) => (phone, sip(dice)),
        (CallType::Trunking, "trunking_originating") => (phone, trunk_number(dice, place)),
        (CallType::Trunking, _) => (trunk_number(dice, place), phone),
        // Of an app's call only the child call has a number; the call to the app has none.
        (CallType::Client, "inbound") => (client(dice, country, schema), Party::default()),
        (CallType::Client, _) => {
            let from = if dice.chance(250) { client(dice, country, schema) } else { phone };
            (from, client(dice, country, schema))
        }
    };
    let has_carrier = matches!(call_type, CallType::Carrier | CallType::Trunking);
    Parties { from, to, country, carrier_is_poor: has_carrier && carrier.poor }
}

/// Somebody's phone. Not everything is known of every number.
fn phone(dice: &mut Dice, place: &'static Place, carrier: &'static str) -> Party {
    let address = place.number(dice);
    let number_prefix = place.prefix(&address).to_owned();
    if dice.chance(40) {
        return Party { address, connection: "pstn", ..Party::default() };
    }
    let (lat, lon) = place.location;
    let shift = dice.real(-0.2, 0.2);
    Party {
        address,
        carrier,
        connection: if place.landline { "landline" } else { "mobile" },
        number_prefix,
        // (0.0, -0.0) is how a documented event says that it doesn't know.
        location: Some(if dice.chance(60) {
            (0.0, -0.0)
        } else {
            (six_decimals(lat + shift), six_decimals(lon - shift))
        }),
        city: place.city,
        country: place.country,
        subdivision: place.subdivision,
        ..Party::default()
    }
}

/// A number bought from Twilio.
fn our_number(dice: &mut Dice, country: &'static Country) -> Party {
    let mut place = places::any(dice);
    while place.country != country.code {
        place = places::any(dice);
    }
    Party { city: "", carrier: "Twilio", connection: "voip", ..phone(dice, place, "Twilio") }
}

/// A number behind the customer's own telephone system.
fn trunk_number(dice: &mut Dice, place: &'static Place) -> Party {
    let carrier = dice.one_of(places::country(place).carriers);
    Party { connection: "sip_trunking", ..phone(dice, place, carrier.name) }
}

fn sip(dice: &mut Dice) -> Party {
    Party {
        address: format!("sip:desk-{}@pbx.example.com", dice.between(100, 199)),
        connection: "sip_interface",
        ..Party::default()
    }
}

/// Public addresses of offices, on the networks that are reserved for documentation.
const OFFICES: [&str; 6] = [
    "198.51.100.17",
    "198.51.100.33",
    "198.51.100.201",
    "203.0.113.5",
    "203.0.113.80",
    "203.0.113.144",
];

/// An agent works in an office, and now and then at home.
fn client(dice: &mut Dice, country: &'static Country, schema: Schema) -> Party {
    let (agent, home) = (dice.between(1, 120), dice.between(1, 254));
    let office = usize::try_from(agent).unwrap_or(0) % OFFICES.len();
    let ip_address = if home < 64 { format!("192.0.2.{home}") } else { OFFICES[office].to_owned() };
    Party {
        address: format!("client:agent-{agent:03}"),
        connection: "twilio_sdk",
        country: country.code,
        ip_address,
        sdk: (schema != Schema::V1).then(|| sdk(dice, country)),
        ..Party::default()
    }
}

fn sdk(dice: &mut Dice, country: &'static Country) -> Sdk {
    let none = Versioned { name: "", version: "" };
    let no_browser = Browser { name: "", major: "", version: "" };
    let app = dice.weighted(&[
        (3, Versioned { name: "Agent Desk", version: "4.12.0" }),
        (1, Versioned { name: "Agent Desk", version: "4.11.2" }),
    ]);
    let shared = Sdk {
        kind: "voice-js",
        version: "2.11.1",
        platform: "browser",
        region: country.region,
        selected_region: dice.weighted(&[(8, "gll"), (2, country.region)]),
        browser: Browser { name: "Chrome", major: "128", version: "128.0.6613.84" },
        os: Versioned { name: "Windows", version: "10" },
        device: Device { model: "", kind: "desktop", vendor: "", arch: "amd64" },
        engine: Versioned { name: "Blink", version: "128.0.6613.84" },
        app,
    };
    match dice.weighted(&[(50, 0), (15, 1), (18, 2), (17, 3)]) {
        0 => shared,
        1 => Sdk {
            browser: Browser { name: "Firefox", major: "129", version: "129.0.2" },
            os: Versioned { name: "macOS", version: "14.6.1" },
            engine: Versioned { name: "Gecko", version: "129.0" },
            device: Device { model: "", kind: "desktop", vendor: "Apple", arch: "arm64" },
            ..shared
        },
        2 => Sdk {
            kind: "voice-ios",
            version: "6.11.0",
            platform: "iOS",
            browser: no_browser,
            os: Versioned { name: "iOS", version: "17.6.1" },
            device: Device { model: "iPhone15,2", kind: "mobile", vendor: "Apple", arch: "arm64" },
            engine: none,
            ..shared
        },
        _ => Sdk {
            kind: "twilio-voice-android",
            version: "6.6.2",
            platform: "android",
            browser: no_browser,
            os: Versioned { name: "Android", version: "14" },
            device: Device { model: "Pixel 8", kind: "mobile", vendor: "Google", arch: "aarch64" },
            engine: none,
            ..shared
        },
    }
}
