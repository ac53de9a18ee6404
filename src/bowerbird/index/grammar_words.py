"""Words of grammar by language: what tells languages apart that share an alphabet, and says little of what is wanted.

Written for this purpose: articles, pronouns, prepositions, conjunctions, auxiliaries and question words. Lower case,
with their accents; codes are ISO 639-1.
"""

from __future__ import annotations

_WRITTEN = {
    "ar": (
        "من في على إلى عن مع هو هي هم هذا هذه ذلك تلك الذي التي الذين ما ماذا متى أين كيف كم لماذا أي هل أن"
        " إن كان كانت يكون قد لقد لا لم لن ليس أو ثم بعد قبل بين كل بعض عند منذ حتى و عام ومن وفي كما التى"
        " الى او"
    ),
    "ca": (
        "el la els les un una uns unes de del dels al als i o que qui què quin quina quins quan com on per"
        " amb en és són era va van ha han no més seu seva seus aquest aquesta hi es ser quants quantes perquè"
        " però sense"
    ),
    "cs": (
        "a i v ve na z ze s se si je jsou byl byla bylo byli být to ten ta ty kdo co jak kde kdy proč který"
        " která které kolik jaký jaká jaké o od do po pro při za nebo že ale jeho její jejich jako by ke k u"
        " mezi podle než také má"
    ),
    "da": (
        "og i at er det en et den de der som på til af for med han hun var har blev hvad hvem hvor hvornår"
        " hvorfor hvordan hvilken hvilket hvilke ikke om fra eller men sig sin ved kan skal vil efter mange"
        " dette disse deres"
    ),
    "de": (
        "der die das den dem des ein eine einen einem einer eines und oder aber ist sind war waren wird wurde"
        " wurden werden hat haben hatte wer was wo wann warum wie welche welcher welches welchen welchem"
        " wessen wem wen wieviel viele nicht kein keine auf aus bei mit nach von vom zu zum zur im in am an"
        " als für durch über unter um bis sich es er sie wir ich ihr sein seine seiner ihre ihren dass wenn"
        " nur auch kann können gibt diese dieser dieses"
    ),
    "el": (
        "ο η το οι τα του της των τον την τους τις ένα ένας μια μία και ή αλλά να θα με σε στο στη στην στον"
        " στους στις στα από για ως που πού ποιος ποια ποιο ποιοι ποιες ποιον πότε πώς γιατί πόσο πόσα πόσες"
        " πόσοι τι είναι ήταν έχει είχε δεν μην ότι αυτό αυτή αυτός κατά μετά πριν μεταξύ"
    ),
    "en": (
        "a about an and are as at be been but by can could did do does for from had has have he her his how i"
        " if in into is it its me my no not of on or our she should so than that the their them then there"
        " these they this to us was we were what when where which who whom whose why will with would you your"
    ),
    "es": (
        "el la los las un una unos unas de del al y o u e que qué quién quiénes cuál cuáles cuándo cuánto"
        " cuánta cuántos cuántas cómo dónde por para con sin en es son era eran fue fueron ser está están ha"
        " han había no se su sus lo le les como más pero si sobre entre este esta estos estas desde hasta"
        " cuya cuyo"
    ),
    "fa": ("و در به از که این آن را با است بود شد برای یا تا هم چه چی کی کجا چرا چگونه چند کدام های می ها یک بر نیز"),
    "fi": (
        "ja on ei oli ovat olivat mikä mitä missä milloin miksi miten kuka kenen kuinka monta mihin mistä"
        " minkä mitkä että se ne hän he joka jotka kun jos tai sekä mutta kuin myös ole voi tämä tämän nämä"
        " sen sitä hänen"
    ),
    "fr": (
        "le la les un une des de du d l et ou où que qu qui quoi quel quelle quels quelles quand comment"
        " pourquoi combien dans en par pour avec sans sur sous au aux est sont était étaient être a ont avait"
        " été il elle ils elles on nous vous je ne pas plus se sa son ses leur leurs ce cet cette ces mais si"
        " y à entre chez lequel laquelle"
    ),
    "hi": (
        "का की के को में से पर ने और या है हैं था थे थी हो होता होती हुआ हुई किया गया गई यह वह ये वे इस उस इन"
        " उन क्या कौन किस किसने किसे कब कहाँ कहां कैसे क्यों कितना कितने कितनी कौनसा एक तक भी ही नहीं जो कि"
        " लिए साथ द्वारा बाद कर"
    ),
    "hu": (
        "a az egy és vagy is nem van volt voltak ki mi mit kik hol mikor miért hogyan mennyi hány melyik"
        " milyen hogy aki ami amely amelyek mely ez ezt azt ezek azok de ha mint csak meg el le fel után"
        " előtt között lehet"
    ),
    "id": (
        "yang dan di ke dari untuk dengan pada adalah ini itu atau tidak dalam oleh sebagai apa siapa kapan"
        " mana mengapa kenapa bagaimana berapa ada akan telah sudah dapat bisa juga para mereka dia ia saya"
        " kami kita"
    ),
    "it": (
        "il lo la i gli le l un uno una di del dello della dei degli delle da dal dalla a al alla ai in nel"
        " nella nei con su sul sulla per tra fra e ed o che chi cosa quale quali quando come dove perché"
        " quanto quanta quanti quante è sono era erano fu essere ha hanno aveva non si suo sua suoi sue più"
        " ma se questo questa anche"
    ),
    "ja": (
        "の は が を に で と も へ や か から まで より です ます した する いる ある 何 誰 どこ いつ なぜ どう どの"
    ),
    "nl": (
        "de het een en of maar is zijn was waren wordt werd werden heeft hebben had wie wat waar wanneer"
        " waarom hoe welke welk hoeveel niet geen in op aan van voor met naar door over uit bij tot om te er"
        " dat die dit deze als ook zich hij zij ze we ik je hun haar kan"
    ),
    "no": (
        "og i å er det en et den de som på til av for med han hun var har ble hva hvem hvor når hvorfor"
        " hvordan hvilken hvilket hvilke ikke om fra eller men seg sin ved kan skal vil etter mange dette"
        " disse deres"
    ),
    "pl": (
        "i w we na z ze do od po za o u jest są był była było byli być to ten ta te kto co jak gdzie kiedy"
        " dlaczego który która które jaki jaka jakie ile nie się że ale lub oraz przez dla przy jego jej ich"
        " jako czy tym tego"
    ),
    "pt": (
        "o a os as um uma uns umas de do da dos das em no na nos nas por pelo pela para com sem e ou que quem"
        " qual quais quando quanto quanta quantos quantas como onde porquê é são era eram foi foram ser está"
        " tem têm não se seu sua seus suas mais mas ao à às este esta isso entre até"
    ),
    "ro": (
        "și si sau dar de la în in pe cu din prin pentru despre după a al ai ale o un unei unui niște care ce"
        " cine cât câți câte când cum unde cărui cărei căror este sunt era erau fost fi are au avea nu se să"
        " lui ei lor cel cea cei cele mai ca că acest această acestea îi îl le s între fel"
    ),
    "ru": (
        "и в во на с со к ко у о об от до по за из для при под над без или но а не ни что кто кого кому кем"
        " где когда почему зачем как какой какая какое какие каких каким каком сколько чей чем чего это этот"
        " эта эти тот та те его её их он она оно они был была было были есть бы же ли то так также между"
        " после который которая которые которого"
    ),
    "sv": (
        "och i att är det en ett den de som på till av för med han hon var har blev vad vem när varför hur"
        " vilken vilket vilka inte om från eller men sig sin vid kan ska vill efter många detta dessa deras"
    ),
    "th": ("คือ และ ของ ใน ที่ เป็น มี ได้ ให้ จาก กับ โดย ใคร อะไร เมื่อใด เมื่อไหร่ ที่ไหน ทำไม อย่างไร เท่าไร กี่ ใด หรือ"),
    "tr": (
        "ve veya ile bir bu şu o da de ki mi mı mu mü ne neden niçin nasıl nerede nereye nereden hangi kim"
        " kime kimin kimdir nedir kaç kadar zaman için gibi daha en çok olan olarak oldu olduğu olmuştur"
        " değil var yok ise ama her sonra önce göre tarafından hangisi"
    ),
    "uk": (
        "і й в у на з із зі до від по за про для при не що хто де коли чому як який яка яке які скільки це був та або"
    ),
    "vi": (
        "là và của có không được trong cho với các những một này đó khi nào ai gì đâu sao thế bao nhiêu vì"
        " tại từ đến ở đã sẽ đang bị bởi như hay hoặc mà thì nhưng ra vào trên dưới về theo để cái việc người"
        " nó họ mấy"
    ),
    "zh": (
        "的 了 是 在 和 与 或 有 被 把 对 为 什么 谁 哪 哪里 哪个 何 何时 怎么 怎样 多少 几 吗 呢 这 那 其 之"
        " 于 以 及 哪些"
    ),
}

GRAMMAR: dict[str, frozenset[str]] = {language: frozenset(words.split()) for language, words in _WRITTEN.items()}
"""Language -> its words of grammar."""

LETTERS: dict[str, frozenset[str]] = {
    "ca": frozenset("çïŀ"),
    "cs": frozenset("ěřůčšž"),
    "da": frozenset("åæø"),
    "de": frozenset("äöüß"),
    "es": frozenset("ñ¿¡"),
    "fi": frozenset("äö"),
    "fr": frozenset("çœêâîûëè"),
    "hu": frozenset("őűöü"),
    "no": frozenset("åæø"),
    "pl": frozenset("łąęśćżźń"),
    "pt": frozenset("ãõç"),
    "ro": frozenset("șțşţăâî"),
    "sv": frozenset("åäö"),
    "tr": frozenset("ğışçöü"),
    "vi": frozenset("đơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ"),
}
"""Language written in Latin letters -> letters that few others have."""
