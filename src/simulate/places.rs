//! Where made-up phones are, and who serves them.
//!
//! Out: places with numbers from ranges that are reserved for fiction (NANPA 555-01XX, Ofcom, ARCEP,
//! Bundesnetzagentur, ACMA, ComReg, PTS), and carriers that don't exist, so that no demonstration says
//! anything about a real person or a real carrier.

use super::dice::Dice;

/// A city with phones.
#[derive(Debug)]
pub(super) struct Place {
    /// ISO 3166-1 alpha-2.
    pub(super) country: &'static str,
    pub(super) subdivision: &'static str,
    pub(super) city: &'static str,
    pub(super) location: (f64, f64),
    /// E.164; each `x` is a digit.
    number: &'static str,
    /// Digits of the country code.
    country_code_len: usize,
    pub(super) landline: bool,
}

impl Place {
    /// A phone number.
    pub(super) fn number(&self, dice: &mut Dice) -> String {
        dice.digits(self.number)
    }

    /// Country code and three digits, without the plus: what Twilio calls the number prefix.
    pub(super) fn prefix<'a>(&self, number: &'a str) -> &'a str {
        number.get(1..self.country_code_len + 4).unwrap_or_default()
    }
}

/// A carrier.
#[derive(Debug, Clone, Copy)]
pub(super) struct Carrier {
    pub(super) name: &'static str,
    /// Bad enough to stand out in a dashboard.
    pub(super) poor: bool,
}

/// A country: what its phones have in common.
#[derive(Debug)]
pub(super) struct Country {
    pub(super) code: &'static str,
    /// Usual post-dial delay, milliseconds.
    pub(super) pdd_ms: i64,
    /// Beyond it a call is tagged `high_pdd`, milliseconds.
    pub(super) high_pdd_ms: i64,
    /// Payload type and name of the usual codec.
    pub(super) codec: (i64, &'static str),
    pub(super) region: &'static str,
    pub(super) edge_location: &'static str,
    pub(super) carriers: &'static [Carrier],
}

/// The country of `place`.
pub(super) fn country(place: &Place) -> &'static Country {
    COUNTRIES.iter().find(|country| country.code == place.country).unwrap_or(&COUNTRIES[0])
}

/// A place, large countries more often.
pub(super) fn any(dice: &mut Dice) -> &'static Place {
    let code = dice.weighted(&[
        (52, "US"),
        (9, "CA"),
        (14, "GB"),
        (9, "DE"),
        (6, "FR"),
        (5, "AU"),
        (2, "IE"),
        (3, "SE"),
    ]);
    loop {
        let place = &PLACES[dice.position(PLACES.len())];
        if place.country == code {
            return place;
        }
    }
}

const PCMU: (i64, &str) = (0, "pcmu");
const PCMA: (i64, &str) = (8, "pcma");

const fn good(name: &'static str) -> Carrier {
    Carrier { name, poor: false }
}

const fn poor(name: &'static str) -> Carrier {
    Carrier { name, poor: true }
}

#[rustfmt::skip] // a table
static COUNTRIES: [Country; 8] = [
    Country { code: "US", pdd_ms: 1400, high_pdd_ms: 5200, codec: PCMU, region: "us1", edge_location: "ashburn",
        carriers: &[good("Northwind Wireless, Inc."), good("Prairie Bell Telephone Co."), good("Tri-State Fiber LLC"), poor("Bluebonnet Mobile")] },
    Country { code: "CA", pdd_ms: 1700, high_pdd_ms: 5600, codec: PCMU, region: "us1", edge_location: "ashburn",
        carriers: &[good("Maple Cellular Inc."), good("Boreal Telecom")] },
    Country { code: "GB", pdd_ms: 1900, high_pdd_ms: 6000, codec: PCMA, region: "ie1", edge_location: "london",
        carriers: &[good("Albion Mobile Ltd"), good("Thamesline"), poor("Pennine Voice Ltd")] },
    Country { code: "DE", pdd_ms: 1800, high_pdd_ms: 5900, codec: PCMA, region: "de1", edge_location: "frankfurt",
        carriers: &[good("Rheinfunk GmbH"), good("Nordnetz Telefon AG")] },
    Country { code: "FR", pdd_ms: 2300, high_pdd_ms: 6500, codec: PCMA, region: "de1", edge_location: "frankfurt",
        carriers: &[good("Mistral Télécom"), good("Hexafone SA")] },
    Country { code: "AU", pdd_ms: 2600, high_pdd_ms: 7400, codec: PCMA, region: "au1", edge_location: "sydney",
        carriers: &[good("Southern Cross Mobile Pty Ltd"), poor("Outback Voice, Pty")] },
    Country { code: "IE", pdd_ms: 1900, high_pdd_ms: 6100, codec: PCMA, region: "ie1", edge_location: "dublin",
        carriers: &[good("Shannon Mobile")] },
    Country { code: "SE", pdd_ms: 2000, high_pdd_ms: 6300, codec: PCMA, region: "ie1", edge_location: "dublin",
        carriers: &[good("Norrsken Mobil AB")] },
];

#[rustfmt::skip] // a table
static PLACES: [Place; 22] = [
    Place { country: "US", subdivision: "California", city: "San Francisco", location: (37.774_929, -122.419_416), number: "+141555501xx", country_code_len: 1, landline: false },
    Place { country: "US", subdivision: "New York", city: "New York", location: (40.712_776, -74.005_974), number: "+121255501xx", country_code_len: 1, landline: true },
    Place { country: "US", subdivision: "Texas", city: "Houston", location: (29.760_427, -95.369_804), number: "+171355501xx", country_code_len: 1, landline: false },
    Place { country: "US", subdivision: "Illinois", city: "Chicago", location: (41.878_113, -87.629_799), number: "+131255501xx", country_code_len: 1, landline: true },
    Place { country: "US", subdivision: "Washington", city: "Seattle", location: (47.606_209, -122.332_069), number: "+120655501xx", country_code_len: 1, landline: false },
    Place { country: "US", subdivision: "Florida", city: "Miami", location: (25.761_681, -80.191_788), number: "+130555501xx", country_code_len: 1, landline: false },
    Place { country: "US", subdivision: "Colorado", city: "Denver", location: (39.739_236, -104.990_251), number: "+130355501xx", country_code_len: 1, landline: true },
    Place { country: "US", subdivision: "Hawaii", city: "Honolulu", location: (21.309_884, -157.858_14), number: "+180855501xx", country_code_len: 1, landline: true },
    Place { country: "CA", subdivision: "Ontario", city: "Toronto", location: (43.653_225, -79.383_186), number: "+141655501xx", country_code_len: 1, landline: false },
    Place { country: "CA", subdivision: "British Columbia", city: "Vancouver", location: (49.282_73, -123.120_735), number: "+160455501xx", country_code_len: 1, landline: true },
    Place { country: "GB", subdivision: "", city: "", location: (54.0, -2.0), number: "+447700900xxx", country_code_len: 2, landline: false },
    Place { country: "GB", subdivision: "England", city: "London", location: (51.507_351, -0.127_758), number: "+442079460xxx", country_code_len: 2, landline: true },
    Place { country: "GB", subdivision: "England", city: "Leeds", location: (53.800_755, -1.549_077), number: "+441134960xxx", country_code_len: 2, landline: true },
    Place { country: "DE", subdivision: "Berlin", city: "Berlin", location: (52.520_007, 13.404_954), number: "+493023125xxx", country_code_len: 2, landline: true },
    Place { country: "DE", subdivision: "Bayern", city: "München", location: (48.135_125, 11.581_981), number: "+498999998xxx", country_code_len: 2, landline: true },
    Place { country: "FR", subdivision: "Île-de-France", city: "Paris", location: (48.856_614, 2.352_222), number: "+3319900xxxx", country_code_len: 2, landline: true },
    Place { country: "FR", subdivision: "", city: "", location: (46.2, 2.2), number: "+3363998xxxx", country_code_len: 2, landline: false },
    Place { country: "AU", subdivision: "New South Wales", city: "Sydney", location: (-33.868_82, 151.209_296), number: "+6125550xxxx", country_code_len: 2, landline: true },
    Place { country: "AU", subdivision: "Victoria", city: "Melbourne", location: (-37.813_628, 144.963_058), number: "+6135550xxxx", country_code_len: 2, landline: true },
    Place { country: "IE", subdivision: "", city: "", location: (53.3, -7.7), number: "+3532091xxxxx", country_code_len: 3, landline: true },
    Place { country: "SE", subdivision: "Stockholms län", city: "Stockholm", location: (59.329_323, 18.068_581), number: "+468465004xx", country_code_len: 2, landline: true },
    Place { country: "SE", subdivision: "", city: "", location: (62.2, 17.6), number: "+467017406xx", country_code_len: 2, landline: false },
];

#[cfg(test)]
mod tests {
    use super::super::dice::Purpose;
    use super::*;

    #[test]
    fn every_place_has_its_country_and_a_prefix_of_three_digits_after_the_country_code() {
        let mut dice = Dice::new(1, Purpose::Facts, 0);
        for place in &PLACES {
            assert_eq!(country(place).code, place.country);
            let number = place.number(&mut dice);
            assert_eq!(place.prefix(&number).len(), place.country_code_len + 3);
        }
        assert_eq!(PLACES[0].prefix("+14155550123"), "1415");
    }
}
