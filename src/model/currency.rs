//! ISO 4217: which currency codes exist and how many decimals their amounts have. Plain data; it must not convert money.
//!
//! Codes without a minor unit (gold `XAU`, special drawing rights `XDR`, test code `XTS` …) are no money that a shop
//! takes, so they are unknown here. Codes withdrawn since 2005 are kept: old sales were made in them.

/// No minor unit.
const ZERO: &[&str] = &[
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF",
    "XPF",
];

/// Hundredths.
const TWO: &[&str] = &[
    "AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BMD", "BND", "BOB", "BOV",
    "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHE", "CHF", "CHW", "CNY", "COP", "COU", "CRC", "CUP",
    "CVE", "CZK", "DKK", "DOP", "DZD", "EGP", "ERN", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL", "GHS", "GIP", "GMD",
    "GTQ", "GYD", "HKD", "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "IRR", "JMD", "KES", "KGS", "KHR", "KPW", "KYD",
    "KZT", "LAK", "LBP", "LKR", "LRD", "LSL", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRU", "MUR", "MVR",
    "MWK", "MXN", "MXV", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "PAB", "PEN", "PGK", "PHP", "PKR",
    "PLN", "QAR", "RON", "RSD", "RUB", "SAR", "SBD", "SCR", "SDG", "SEK", "SGD", "SHP", "SLE", "SOS", "SRD", "SSP",
    "STN", "SVC", "SYP", "SZL", "THB", "TJS", "TMT", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH", "USD", "USN", "UYU",
    "UZS", "VED", "VES", "WST", "XAD", "XCD", "XCG", "YER", "ZAR", "ZMW", "ZWG",
];

/// Thousandths.
const THREE: &[&str] = &["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];

/// Ten-thousandths: units of account.
const FOUR: &[&str] = &["CLF", "UYW"];

/// Withdrawn since 2005, with their decimals.
const WITHDRAWN: &[(&str, u32)] = &[
    ("ANG", 2),
    ("AZM", 2),
    ("BGN", 2),
    ("BYR", 0),
    ("CSD", 2),
    ("CUC", 2),
    ("CYP", 2),
    ("EEK", 2),
    ("GHC", 2),
    ("HRK", 2),
    ("LTL", 2),
    ("LVL", 2),
    ("MRO", 2),
    ("MTL", 2),
    ("MZM", 2),
    ("ROL", 2),
    ("SDD", 2),
    ("SIT", 2),
    ("SKK", 2),
    ("SLL", 2),
    ("SRG", 2),
    ("STD", 2),
    ("TMM", 2),
    ("TRL", 0),
    ("VEB", 2),
    ("VEF", 2),
    ("ZMK", 2),
    ("ZWD", 2),
    ("ZWL", 2),
    ("ZWR", 2),
];

/// Decimals of an amount in `code` (upper case): 2 for USD, 0 for JPY, 3 for KWD; `None` where `code` is no currency.
pub fn minor_units(code: &str) -> Option<u32> {
    let lists = [(TWO, 2), (ZERO, 0), (THREE, 3), (FOUR, 4)];
    let active = lists.into_iter().find(|(codes, _)| codes.contains(&code)).map(|(_, units)| units);
    active.or_else(|| WITHDRAWN.iter().find(|(c, _)| *c == code).map(|(_, units)| *units))
}

/// Whether `code` (upper case) is a currency of ISO 4217 that people pay in.
pub fn is_currency(code: &str) -> bool {
    minor_units(code).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_of_well_known_currencies() {
        let cases = [
            ("USD", 2),
            ("EUR", 2),
            ("CNY", 2),
            ("GBP", 2),
            ("JPY", 0),
            ("KRW", 0),
            ("KWD", 3),
            ("CLF", 4),
            ("HRK", 2),
        ];
        for (code, units) in cases {
            assert_eq!(minor_units(code), Some(units), "{code}");
        }
        for code in ["", "usd", "XAU", "XXX", "ZZZ", "US"] {
            assert!(!is_currency(code), "{code}");
        }
    }

    #[test]
    fn every_code_is_listed_once_and_well_formed() {
        let mut all: Vec<&str> = [ZERO, TWO, THREE, FOUR].concat();
        all.extend(WITHDRAWN.iter().map(|(c, _)| *c));
        let listed = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), listed);
        assert!(all.iter().all(|c| c.len() == 3 && c.bytes().all(|b| b.is_ascii_uppercase())));
    }
}
