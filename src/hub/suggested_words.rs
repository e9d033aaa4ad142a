//! The words of suggested names. In each language any of the first goes with any of the second: where adjectives agree with their noun,
//! all animals are of one grammatical gender.

use crate::language::Language;

/// So many words there are of each kind in each language.
pub(super) const COUNT: usize = 40;

/// The words of one language, with spaces between them.
pub(super) struct Words {
    pub(super) first: &'static str,
    pub(super) second: &'static str,
    /// What stands between two of them in a name.
    pub(super) between: &'static str,
}

impl Words {
    pub(super) fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &ENGLISH,
            Language::German => &GERMAN,
            Language::French => &FRENCH,
            Language::Spanish => &SPANISH,
            Language::Persian => &PERSIAN,
            Language::Russian => &RUSSIAN,
            Language::Arabic => &ARABIC,
            Language::Chinese => &CHINESE,
        }
    }
}

static ENGLISH: Words = Words {
    first: "Amber Bold Bright Calm Clever Cosy Curious Dapper Eager Early Fair Gentle Golden Happy \
        Honest Humble Jolly Kind Late Light Lucky Mellow Merry Mild Misty Noble Patient Plain \
        Proud Quick Quiet Rare Sandy Silent Silver Steady Sunny Swift Velvet Warm",
    second: "Badger Beaver Crane Cricket Curlew Dolphin Dormouse Falcon Finch Fox Gecko Hare Heron Ibis \
        Jackdaw Kestrel Lark Lemur Linnet Lynx Magpie Marten Mole Newt Otter Owl Panda Pika Plover \
        Puffin Raven Robin Seal Sparrow Swan Tapir Thrush Vole Wombat Wren",
    between: " ",
};

static GERMAN: Words = Words {
    first: "Braver Bunter Edler Ehrlicher Eifriger Emsiger Fleißiger Flinker Freundlicher Froher \
        Früher Geduldiger Goldener Gütiger Heiterer Heller Kluger Kühner Leiser Listiger Lustiger \
        Milder Munterer Mutiger Neugieriger Ruhiger Sanfter Schlauer Schneller Seltener Silberner \
        Sonniger Stiller Stolzer Treuer Wacher Warmer Weiser Zarter Zufriedener",
    second: "Biber Bussard Dachs Delfin Eisvogel Elch Falke Fink Fuchs Habicht Hamster Hase Hirsch Ibis \
        Igel Koala Kranich Kuckuck Luchs Marder Maulwurf Molch Otter Panda Pinguin Rabe Reiher \
        Salamander Schwan Spatz Specht Sperber Star Stieglitz Storch Tapir Uhu Wal Wombat Zeisig",
    between: " ",
};

static FRENCH: Words = Words {
    first: "Blaireau Castor Cerf Chamois Chat Chevreuil Colibri Condor Corbeau Coucou Criquet Cygne \
        Dauphin Écureuil Faucon Grillon Hamster Hérisson Héron Hibou Ibis Koala Lézard Lièvre \
        Loriot Lynx Merle Moineau Mulot Ours Panda Papillon Pélican Perroquet Phoque Pinson \
        Pingouin Renard Tapir Triton",
    second: "agile aimable alerte amical attentif brave brillant calme charmant content curieux discret \
        doré doux drôle fidèle fier franc gai gentil habile honnête joyeux léger libre loyal malin \
        modeste noble paisible patient poli prudent rapide rare rusé sage serein tendre tranquille",
    between: " ",
};

static SPANISH: Words = Words {
    first: "Búho Canario Cangrejo Castor Ciervo Cisne Colibrí Cóndor Corzo Cuervo Delfín Erizo Gato \
        Gorrión Grillo Halcón Hámster Ibis Jilguero Koala Lagarto Lince Lirón Lobo Loro Mirlo Oso \
        Panda Pato Pelícano Pingüino Pinzón Ratón Ruiseñor Tapir Tejón Topo Tritón Vencejo Zorro",
    second: "ágil alegre amable astuto atento audaz brillante bueno calmado cauto claro contento \
        cordial cortés curioso discreto dorado dulce elegante feliz fiel franco fuerte hábil \
        honesto leal libre listo modesto noble paciente plácido prudente puntual rápido risueño \
        sabio sereno tranquilo valiente",
    between: " ",
};

static PERSIAN: Words = Words {
    first: "آهو اسب باز ببر بلبل بره پاندا پرستو پروانه پلنگ خرس خرگوش درنا دلفین روباه زرافه سار سمور \
        سنجاب شاهین شیر طاووس طوطی عقاب فیل قرقاول قمری قناری کبک کبوتر گربه گنجشک گوزن لاکپشت \
        ماهی مرغابی میگو نهنگ هدهد یوز",
    second: "آرام آزاد ارجمند باهوش بخشنده بیدار پاک پرشور پویا پیروز تیزبین تیزپا جسور چابک چالاک \
        خاموش خندان خوشحال خوشدل خونگرم دانا دلنشین دلیر راستگو روشن زرنگ زیبا ساده سحرخیز سرخوش \
        سرزنده شاد شیرین صبور طلایی فروتن کنجکاو مهربان نجیب وفادار",
    between: " ",
};

static RUSSIAN: Words = Words {
    first: "Бодрый Быстрый Верный Весёлый Гордый Добрый Дружный Живой Золотой Кроткий Лёгкий Ловкий \
        Любопытный Милый Мудрый Мягкий Нежный Озорной Ранний Редкий Робкий Светлый Серебряный \
        Скромный Славный Смелый Солнечный Спокойный Счастливый Тёплый Терпеливый Тихий Удачливый \
        Умный Храбрый Честный Чуткий Шустрый Щедрый Ясный",
    second: "Аист Барсук Бобр Вомбат Воробей Ворон Дельфин Дрозд Дятел Енот Журавль Заяц Зубр Ибис Кит \
        Кот Крот Лебедь Лемур Лис Лось Медведь Олень Орёл Пеликан Пингвин Сверчок Скворец Снегирь \
        Соболь Сокол Стриж Тапир Тритон Тупик Тюлень Филин Хомяк Щегол Ястреб",
    between: " ",
};

static ARABIC: Words = Words {
    first: "أرنب أسد أيل باندا ببغاء بجع بلبل ثعلب جمل حسون حصان حوت خروف دب دلفين ديك سنجاب شحرور صقر \
        طاووس ظبي عصفور غراب غرير غزال فهد فيل قط قنفذ قندس كروان كناري كنغر لقلق نسر نمر نورس \
        هدهد وشق وعل",
    second: "أمين أنيق بارع باسم ثابت جريء جميل حالم حكيم حليم حنون ذكي ذهبي رشيق رقيق سريع سعيد شجاع \
        صادق صامت صبور طيب فصيح فضولي كريم لامع لطيف ماهر مبتسم متواضع مرح مشرق نادر نبيل نشيط \
        هادئ واثق ودود وفي يقظ",
    between: " ",
};

static CHINESE: Words = Words {
    first: "安静的 沉稳的 诚实的 聪明的 大方的 淡定的 风趣的 高贵的 好奇的 活泼的 机灵的 坚定的 金色的 开朗的 可爱的 \
        快乐的 乐观的 礼貌的 灵巧的 敏捷的 明亮的 耐心的 谦虚的 勤劳的 热情的 认真的 善良的 温暖的 温柔的 细心的 \
        幸运的 银色的 勇敢的 悠闲的 优雅的 友好的 早起的 忠诚的 专注的 自在的",
    second: "白鹭 刺猬 大象 杜鹃 鸽子 海豹 海狸 海雀 海豚 河马 蝴蝶 狐狸 黄鹂 锦鲤 鲸鱼 考拉 孔雀 羚羊 骆驼 猫头鹰 \
        麻雀 企鹅 蜻蜓 猞猁 水獭 松鼠 天鹅 兔子 喜鹊 蟋蟀 仙鹤 小鹿 小马 熊猫 燕子 羊驼 鹦鹉 渡鸦 云雀 知更鸟",
    between: "",
};
