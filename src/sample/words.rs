//! The names of the made-up retailer: categories, brands, cities, channels. Plain data.

/// A top category: id, name, (second level: id, name, third level names), the cheapest usual price in pence, taxed at the reduced rate.
pub struct Top {
    pub id: &'static str,
    pub name: &'static str,
    pub below: &'static [(&'static str, &'static [&'static str])],
    pub from_pence: i64,
    pub reduced_tax: bool,
}

pub const CATEGORIES: &[Top] = &[
    Top {
        id: "HOM",
        name: "Home",
        from_pence: 1199,
        reduced_tax: false,
        below: &[
            ("Lighting", &["Table lamps", "Candles", "Lanterns"]),
            ("Textiles", &["Cushions", "Throws", "Bed linen"]),
            ("Decoration", &["Vases", "Picture frames", "Baskets"]),
        ],
    },
    Top {
        id: "KIT",
        name: "Kitchen",
        from_pence: 799,
        reduced_tax: false,
        below: &[
            ("Tableware", &["Mugs", "Plates", "Glasses"]),
            ("Cooking", &["Pans", "Knives", "Baking tins"]),
            ("Tea & Coffee", &["Teapots", "Cafetières", "Tins"]),
        ],
    },
    Top {
        id: "GAR",
        name: "Garden",
        from_pence: 599,
        reduced_tax: false,
        below: &[
            ("Planting", &["Pots", "Seeds", "Bulbs"]),
            ("Tools", &["Secateurs", "Trowels", "Watering cans"]),
            ("Outdoor living", &["Bird feeders", "Parasols", "Blankets"]),
        ],
    },
    Top {
        id: "BOO",
        name: "Books",
        from_pence: 699,
        reduced_tax: true,
        below: &[
            ("Fiction", &["Novels", "Crime", "Poetry"]),
            ("Practical", &["Cookery", "Gardening", "Crafts"]),
            ("Children", &["Picture books", "Puzzles in print", "Young readers"]),
        ],
    },
    Top {
        id: "TOY",
        name: "Toys",
        from_pence: 899,
        reduced_tax: false,
        below: &[
            ("Play", &["Wooden toys", "Soft toys", "Building sets"]),
            ("Games", &["Board games", "Card games", "Jigsaws"]),
            ("Making", &["Paint sets", "Knitting kits", "Stationery"]),
        ],
    },
    Top {
        id: "FOO",
        name: "Food",
        from_pence: 249,
        reduced_tax: true,
        below: &[
            ("Pantry", &["Jams", "Honey", "Biscuits"]),
            ("Loose goods", &["Loose tea", "Coffee beans", "Sweets by weight"]),
            ("Drinks", &["Cordials", "Cocoa", "Sparkling water"]),
        ],
    },
];

pub const BRANDS: &[&str] = &[
    "Alder & Finch",
    "Bramble Lane",
    "Calder",
    "Dunmore",
    "Eastwick",
    "Fernhill",
    "Gannet",
    "Harrow Mill",
    "Isla",
    "Juniper Row",
    "Kestrel",
    "Lindenhof",
    "Marlow",
    "Nordlicht",
    "Oakridge",
    "Pebble",
    "Quillon",
    "Rosenau",
    "Saltmarsh",
    "Thornbury",
    "Ulverston",
    "Veldt",
    "Wren",
    "Zauberwald",
];

pub const COLOURS: &[&str] = &["Sage", "Ochre", "Slate", "Ivory", "Plum", "Teal", "Rust", "Navy", "Blush", "Moss"];

/// A region with shops or customers: id, name, country, cities, shops at the usual size.
pub struct Region {
    pub id: &'static str,
    pub name: &'static str,
    pub country: &'static str,
    pub cities: &'static [&'static str],
    pub stores: usize,
    pub population: i64,
}

/// The first six have shops; the Chinese ones are shipped to.
pub const REGIONS: &[Region] = &[
    Region {
        id: "GB-LON",
        name: "London & South East",
        country: "GB",
        stores: 9,
        population: 18_200_000,
        cities: &["London", "Brighton", "Reading", "Canterbury", "Guildford"],
    },
    Region {
        id: "GB-MID",
        name: "Midlands & Wales",
        country: "GB",
        stores: 8,
        population: 13_900_000,
        cities: &["Birmingham", "Nottingham", "Leicester", "Cardiff", "Stratford"],
    },
    Region {
        id: "GB-NTH",
        name: "North of England",
        country: "GB",
        stores: 8,
        population: 15_400_000,
        cities: &["Manchester", "Leeds", "York", "Newcastle", "Liverpool"],
    },
    Region {
        id: "GB-SCT",
        name: "Scotland",
        country: "GB",
        stores: 5,
        population: 5_400_000,
        cities: &["Edinburgh", "Glasgow", "Aberdeen"],
    },
    Region {
        id: "DE-N",
        name: "Northern Germany",
        country: "DE",
        stores: 5,
        population: 35_000_000,
        cities: &["Hamburg", "Berlin", "Bremen", "Hannover"],
    },
    Region {
        id: "DE-S",
        name: "Southern Germany",
        country: "DE",
        stores: 5,
        population: 48_000_000,
        cities: &["München", "Stuttgart", "Freiburg", "Nürnberg"],
    },
    Region { id: "CN-N", name: "华北", country: "CN", stores: 0, population: 169_000_000, cities: &["北京"] },
    Region { id: "CN-E", name: "华东", country: "CN", stores: 0, population: 423_000_000, cities: &["上海"] },
    Region { id: "CN-S", name: "华南", country: "CN", stores: 0, population: 186_000_000, cities: &["深圳"] },
];

/// Countries: the level above the regions.
pub const COUNTRIES: &[(&str, &str, i64)] =
    &[("GB", "United Kingdom", 68_000_000), ("DE", "Germany", 83_000_000), ("CN", "中国", 1_408_000_000)];

/// id, name, type, sold online, platform, the platform's share, currency.
pub const CHANNELS: &[(&str, &str, &str, bool, &str, &str, &str)] = &[
    ("web", "Web shop", "own_web", true, "", "", "GBP"),
    ("app", "Shopping app", "own_app", true, "", "", "GBP"),
    ("live", "Live stream shop", "live_stream", true, "Streamline", "0.05", "GBP"),
    ("market_eu", "Marktplatz Mitte", "marketplace", true, "Marktplatz Mitte", "0.12", "EUR"),
    ("market_cn", "云集市旗舰店", "marketplace", true, "云集市", "0.08", "GBP"),
    ("pos", "Shops", "pos_store", false, "", "", ""),
    ("tel", "Telesales", "telesales", false, "", "", "GBP"),
    ("b2b", "Wholesale", "b2b", false, "", "", ""),
];

/// Articles that only the Chinese marketplace sells and the product master does not know: id, name.
pub const CHINA_ONLY: &[(&str, &str)] = &[
    ("CN0001", "春节礼盒"),
    ("CN0002", "英式下午茶套装"),
    ("CN0003", "中秋月饼罐"),
    ("CN0004", "旅行茶具"),
    ("CN0005", "联名帆布袋"),
];
