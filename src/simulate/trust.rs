//! Trust: what a call shows of its caller, in the words of each schema version.
//!
//! In: chance and the version. Out: the object `trust`, ready to be written as JSON.

use super::call::Schema;
use super::dice::Dice;
use serde::Serialize;

/// The object `trust`; a part that is `None` is not sent.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Trust {
    verified_caller: VerifiedCaller,
    #[serde(skip_serializing_if = "Option::is_none")]
    branded_call: Option<BrandedCall>,
    #[serde(skip_serializing_if = "Option::is_none")]
    branded: Option<Branded>,
    #[serde(skip_serializing_if = "Option::is_none")]
    business_profile: Option<BusinessProfile>,
    #[serde(skip_serializing_if = "Option::is_none")]
    voice_integrity: Option<VoiceIntegrity>,
}

#[derive(Debug, Clone, Serialize)]
struct VerifiedCaller {
    verified: bool,
}

/// Until version 2.
#[derive(Debug, Clone, Serialize)]
struct BrandedCall {
    branded: bool,
    caller: &'static str,
    use_case: &'static str,
    brand_sid: String,
    branded_channel_sid: String,
}

#[derive(Debug, Clone, Serialize)]
struct Branded {
    enabled: bool,
    display_name: &'static str,
    long_display_name: &'static str,
    bundle_sid: String,
    logo: bool,
    #[serde(rename = "type")]
    kind: &'static str,
    use_case: &'static str,
    call_reason: &'static str,
}

#[derive(Debug, Clone, Serialize)]
struct BusinessProfile {
    bundle_sid: String,
    identity: &'static str,
    industry: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Debug, Clone, Serialize)]
struct VoiceIntegrity {
    enabled: bool,
    bundle_sid: String,
    use_case: &'static str,
}

/// What is said of a call, if anything.
pub(super) fn any(dice: &mut Dice, schema: Schema) -> Option<Trust> {
    let nothing = Trust {
        verified_caller: VerifiedCaller { verified: dice.chance(800) },
        branded_call: None,
        branded: None,
        business_profile: None,
        voice_integrity: None,
    };
    match schema {
        Schema::V1 => None,
        Schema::V2 => dice.chance(500).then(|| Trust {
            branded_call: dice.chance(200).then(|| BrandedCall {
                branded: true,
                caller: "Owl Bank",
                use_case: "fraud_alert",
                brand_sid: format!("BZ{}", dice.hex(32)),
                branded_channel_sid: format!("BW{}", dice.hex(32)),
            }),
            ..nothing
        }),
        Schema::V7 => dice.chance(600).then(|| Trust {
            branded: dice.chance(250).then(|| branded(dice)),
            business_profile: dice.chance(250).then(|| BusinessProfile {
                bundle_sid: format!("BU{}", dice.hex(32)),
                identity: "direct_customer",
                industry: dice.one_of(&["banking", "healthcare", "retail"]),
                kind: dice.one_of(&["primary", "secondary"]),
            }),
            voice_integrity: dice.chance(200).then(|| VoiceIntegrity {
                enabled: true,
                bundle_sid: format!("BU{}", dice.hex(32)),
                use_case: "customer_support",
            }),
            ..nothing
        }),
    }
}

fn branded(dice: &mut Dice) -> Branded {
    let (display_name, long_display_name) =
        dice.one_of(&[("Owl Bank", "Owl Bank Ltd"), ("Fern Care", "Fern Care Clinics, Inc.")]);
    Branded {
        enabled: true,
        display_name,
        long_display_name,
        bundle_sid: format!("BU{}", dice.hex(32)),
        logo: dice.chance(500),
        kind: dice.one_of(&["in_band", "out_of_band"]),
        use_case: dice.one_of(&["Customer Care", "Appointment Confirmations"]),
        call_reason: dice.one_of(&["About your appointment", "About your account"]),
    }
}
