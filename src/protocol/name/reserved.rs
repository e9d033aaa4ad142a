//! Words that no guest can be called, because the page uses them about people and the room.

use std::collections::HashSet;
use std::sync::LazyLock;

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

use super::key::ConfusableKey;

/// The words, in the languages of people who share a room. "You" in each form that a page would say it in. Words that
/// are common names, too, are left out: مالك, هنا, and "all", which looks like Ali.
pub(super) const WORDS: [(&str, &[&str]); 8] = [
    (
        "English",
        &[
            "you",
            "admin",
            "administrator",
            "administration",
            "host",
            "moderator",
            "mod",
            "moderation",
            "operator",
            "owner",
            "system",
            "server",
            "staff",
            "root",
            "room",
            "chat room",
            "onionroom",
            "onion room",
            "everyone",
            "everybody",
            "here",
            "away",
        ],
    ),
    (
        "German",
        &[
            "du",
            "ihr",
            "Sie",
            "Verwalter",
            "Verwaltung",
            "Administration",
            "Gastgeber",
            "Gastgeberin",
            "Moderation",
            "Betreiber",
            "Betreiberin",
            "Besitzer",
            "Besitzerin",
            "Raum",
            "Chatraum",
            "alle",
            "hier",
            "abwesend",
        ],
    ),
    (
        "French",
        &[
            "tu",
            "toi",
            "vous",
            "administrateur",
            "administratrice",
            "hôte",
            "hôtesse",
            "modérateur",
            "modératrice",
            "opérateur",
            "propriétaire",
            "système",
            "serveur",
            "salon",
            "salle",
            "tous",
            "tout le monde",
            "ici",
            "absent",
            "absente",
        ],
    ),
    (
        "Spanish",
        &[
            "tú",
            "usted",
            "ustedes",
            "administrador",
            "administradora",
            "anfitrión",
            "anfitriona",
            "moderador",
            "moderadora",
            "operador",
            "operadora",
            "propietario",
            "propietaria",
            "dueño",
            "dueña",
            "sistema",
            "servidor",
            "sala",
            "todos",
            "aquí",
            "ausente",
        ],
    ),
    (
        "Persian",
        &[
            "تو",
            "شما",
            "مدیر",
            "ادمین",
            "میزبان",
            "ناظر",
            "گرداننده",
            "اپراتور",
            "سیستم",
            "سامانه",
            "سرور",
            "اتاق",
            "همه",
            "اینجا",
            "غایب",
        ],
    ),
    (
        "Russian",
        &[
            "ты",
            "вы",
            "админ",
            "администратор",
            "администрация",
            "хост",
            "хозяин",
            "хозяйка",
            "модератор",
            "модерация",
            "оператор",
            "владелец",
            "владелица",
            "система",
            "сервер",
            "комната",
            "все",
            "здесь",
            "отошёл",
            "отошла",
        ],
    ),
    (
        "Arabic",
        &[
            "أنت",
            "أنتم",
            "المدير",
            "مدير",
            "المشرف",
            "المضيف",
            "مضيف",
            "المشغل",
            "مشغل",
            "المالك",
            "النظام",
            "الخادم",
            "خادم",
            "الغرفة",
            "غرفة",
            "الجميع",
            "غائب",
        ],
    ),
    (
        "Chinese",
        &[
            "你",
            "您",
            "你们",
            "管理员",
            "管理",
            "主持人",
            "房主",
            "版主",
            "群主",
            "操作员",
            "所有者",
            "系统",
            "服务器",
            "房间",
            "聊天室",
            "所有人",
            "大家",
            "全体",
            "这里",
            "离开",
        ],
    ),
];

static KEYS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let words = WORDS.iter().flat_map(|(_, words)| words.iter());
    words.flat_map(|word| ConfusableKey::of(word).parts()).collect()
});

/// Whether a name is one of the words, or would be taken for one, also with digits, punctuation and emoji around it.
pub(super) fn is_reserved(name: &str) -> bool {
    [name, name.trim_matches(|character| !is_letter(character))]
        .iter()
        .any(|name| ConfusableKey::of(name).parts().iter().any(|part| KEYS.contains(part)))
}

fn is_letter(character: char) -> bool {
    matches!(character.general_category_group(), GeneralCategoryGroup::Letter | GeneralCategoryGroup::Mark)
}
