package numfmt

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// dateToken is a part of a format that shows a date or a time.
type dateToken struct {
	kind byte   // one of y m d h s, as they are in a date; H M S beyond a day; n minutes; p half of the day; w weekday; . parts of a second; " text
	size int    // how often its letter stands there
	text string // of text
}

// dateFormat is a section that shows a date or a time, taken apart.
type dateFormat struct {
	tokens   []dateToken
	language int  // as Windows numbers it; 0: none is named
	viewer   bool // the format is that of whoever looks at it
	named    bool // it shows names of months or days
	half     bool // it shows the halves of the day
	parts    bool // it shows parts of a second
	timed    bool // it shows a time
	dated    bool // it shows a day
	broken   bool // it is nonsense, or counts years from elsewhere
}

// dateFormatOf takes a section apart.
func dateFormatOf(code string) (f dateFormat) {
	add := func(kind byte, size int, text string) { f.tokens = append(f.tokens, dateToken{kind, size, text}) }
	for i := 0; i < len(code); {
		rest := code[i:]
		switch c := code[i] | 0x20; { // a letter in lower case
		case rest[0] == '"':
			text, _, _ := strings.Cut(rest[1:], `"`)
			add('"', 0, text)
			i += min(len(text)+2, len(rest))
		case rest[0] == '\\' || rest[0] == '_' || rest[0] == '*':
			size := firstRune(rest[1:])
			switch rest[0] {
			case '\\':
				add('"', 0, rest[1:1+size])
			case '_':
				add('"', 0, " ")
			}
			i += 1 + size
		case rest[0] == '[':
			inside, _, _ := strings.Cut(rest[1:], "]")
			f.bracket(inside, add)
			i += min(len(inside)+2, len(rest))
		case hasPrefixFold(rest, "am/pm"), hasPrefixFold(rest, "a/p"):
			size := len("a/p")
			if c == 'a' && rest[1]|0x20 == 'm' {
				size = len("am/pm")
			}
			add('p', size, rest[:size])
			f.half = true
			i += size
		case strings.IndexByte("ymdhsa", c) >= 0:
			size := len(rest) - len(strings.TrimLeft(rest, string([]byte{c, c &^ 0x20})))
			if c == 'a' { // as in Japanese formats
				c = 'w'
				f.broken = f.broken || size < 3
			}
			add(c, size, "")
			i += size
		case strings.IndexByte("egb", c) >= 0 || strings.IndexByte("#?%", rest[0]) >= 0:
			f.broken = true
			i++
		case rest[0] == '.' && strings.HasPrefix(rest, ".0"):
			size := len(rest) - 1 - len(strings.TrimLeft(rest[1:], "0"))
			add('.', min(size, 3), "")
			f.parts = true
			i += 1 + size
		case rest[0] == '0':
			f.broken = true
			i++
		default:
			size := firstRune(rest)
			add('"', 0, rest[:size])
			i += size
		}
	}
	f.minutes()
	for _, token := range f.tokens {
		f.timed = f.timed || strings.IndexByte("hsnHMSp.", token.kind) >= 0
		f.dated = f.dated || strings.IndexByte("ymdw", token.kind) >= 0
		f.named = f.named || token.kind == 'w' || (token.kind == 'm' || token.kind == 'd') && token.size > 2
	}
	return f
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// bracket takes in what stands in brackets.
func (f *dateFormat) bracket(inside string, add func(kind byte, size int, text string)) {
	lower := strings.ToLower(inside)
	currency, isCurrency := strings.CutPrefix(inside, "$")
	switch {
	case isCurrency:
		text, language, _ := strings.Cut(currency, "-")
		if text != "" {
			add('"', 0, text)
		}
		f.setLanguage(strings.ToLower(language))
	case lower != "" && strings.Trim(lower, lower[:1]) == "" && strings.IndexByte("hms", lower[0]) >= 0:
		add(lower[0]&^0x20, len(lower), "")
	}
}

// setLanguage notes the language that a format names: by a number, whose last four digits are those of
// Windows, or by a tag.
func (f *dateFormat) setLanguage(name string) {
	switch name {
	case "":
		return
	case "f800", "f400", "x-sysdate", "x-systime", "1010000":
		f.viewer = true
		return
	}
	number, err := strconv.ParseUint(name[max(0, len(name)-4):], 16, 32)
	if tag, _, _ := strings.Cut(name, "-"); err != nil || languageTags[tag] != 0 {
		f.language = max(languageTags[tag], 1) // 1 is a language without names here
		return
	}
	const primary = 0x3ff // what lies above is the country
	if f.language = int(number) & primary; number == 0 {
		f.language = 0
	}
}

// minutes finds out which m are minutes: those behind hours, and before seconds.
func (f *dateFormat) minutes() {
	last, at := byte(0), -1
	for i := range f.tokens {
		token := &f.tokens[i]
		if token.kind == '"' || token.kind == 'p' || token.kind == '.' {
			continue
		}
		switch {
		case token.kind == 'm' && token.size <= 2 && strings.IndexByte("hHMS", last) >= 0 && last != 0:
			token.kind = 'n'
		case token.kind == 's' && last == 'm' && f.tokens[at].size <= 2:
			f.tokens[at].kind = 'n'
		}
		last, at = token.kind, i
	}
}

// The days that a workbook can count, from 1900: up to the year 9999.
const mostDays = 2_958_466

// showDate returns a number as the date or the time that a section makes of it; where it names months or days
// in a language of which no names are known here, or the format is that of whoever looks at it, as ISO 8601
// has it.
func (f *Formats) showDate(value float64, code string) string {
	d, known := f.dates[code]
	if !known {
		d = dateFormatOf(code)
		if f.dates == nil {
			f.dates = map[string]dateFormat{}
		}
		f.dates[code] = d
	}
	if value < 0 || value >= mostDays || d.broken {
		return general(value)
	}
	m := momentOf(value, d.parts, f.Date1904)
	words, known := namesOf(d.language)
	if d.viewer || !known && (d.named || d.half) {
		return m.iso(d)
	}
	return m.show(d, words)
}

// moment is a day and a time as a workbook counts them.
type moment struct {
	year, month, day, weekday int
	seconds, thousandths      int     // of the day
	total                     float64 // seconds since the first day there is
}

// momentOf returns what a number of days means, to the second, or to its thousandth where parts of a second
// are shown.
func momentOf(value float64, parts, date1904 bool) (m moment) {
	const day = 24 * 60 * 60
	unit := 1.0
	if parts {
		unit = 1000
	}
	whole, part := math.Modf(value)
	ticks := math.Round(part * day * unit)
	if ticks == day*unit {
		whole, ticks = whole+1, 0
	}
	days := int(whole)
	m.seconds, m.thousandths = int(ticks/unit), int(math.Mod(ticks*1000/unit, 1000))
	m.total = whole*day + float64(m.seconds)
	if date1904 {
		const from1900 = 1462
		days += from1900
	}
	m.weekday = (days + 6) % 7
	const leap = 60 // the 29th of February 1900, which there was not: every spreadsheet program has it
	switch at := time.Date(1899, time.December, 30, 0, 0, 0, 0, time.UTC).AddDate(0, 0, days); {
	case days == 0:
		m.year, m.month = 1900, 1
	case days == leap:
		m.year, m.month, m.day = 1900, 2, 29
	case days < leap:
		at = at.AddDate(0, 0, 1)
		m.year, m.month, m.day = at.Year(), int(at.Month()), at.Day()
	default:
		m.year, m.month, m.day = at.Year(), int(at.Month()), at.Day()
	}
	return m
}

// iso returns the moment as ISO 8601 has it, as far as the format shows it.
func (m *moment) iso(d dateFormat) string {
	var parts []string
	if d.dated || !d.timed {
		parts = append(parts, fmt.Sprintf("%04d-%02d-%02d", m.year, m.month, m.day))
	}
	if d.timed {
		parts = append(parts, fmt.Sprintf("%02d:%02d:%02d", m.seconds/3600, m.seconds/60%60, m.seconds%60))
	}
	return strings.Join(parts, " ")
}

// show returns the moment as the format shows it.
func (m *moment) show(d dateFormat, words names) string {
	var b strings.Builder
	number := func(n, size int) { fmt.Fprintf(&b, "%0*d", min(size, 2), n) }
	for _, token := range d.tokens {
		switch token.kind {
		case '"':
			b.WriteString(token.text)
		case 'y':
			if token.size <= 2 {
				number(m.year%100, 2)
			} else {
				number(m.year, 2)
			}
		case 'm':
			switch {
			case token.size <= 2:
				number(m.month, token.size)
			case token.size == 3:
				b.WriteString(words.shortMonths[m.month-1])
			default:
				name := words.months[m.month-1]
				if token.size == 5 {
					name = name[:firstRune(name)]
				}
				b.WriteString(name)
			}
		case 'd', 'w':
			switch {
			case token.size <= 2:
				number(m.day, token.size)
			case token.size == 3:
				b.WriteString(words.shortDays[m.weekday])
			default:
				b.WriteString(words.days[m.weekday])
			}
		case 'h':
			hour := m.seconds / 3600
			if d.half {
				if hour %= 12; hour == 0 {
					hour = 12
				}
			}
			number(hour, token.size)
		case 'n':
			number(m.seconds/60%60, token.size)
		case 's':
			number(m.seconds%60, token.size)
		case '.':
			b.WriteString("." + fmt.Sprintf("%03d", m.thousandths)[:token.size])
		case 'H', 'M', 'S':
			unit := map[byte]float64{'H': 3600, 'M': 60, 'S': 1}[token.kind]
			fmt.Fprintf(&b, "%0*.f", token.size, math.Floor(m.total/unit))
		case 'p':
			b.WriteString(words.half(m.seconds >= 12*3600, token.text))
		}
	}
	return b.String()
}

// names are what a language calls months, days and the halves of the day.
type names struct{ months, shortMonths, days, shortDays, halves []string }

// half returns what a half of the day is called; A/P has but the first letter.
func (n *names) half(second bool, asked string) string {
	at := 0
	if second {
		at = 1
	}
	if len(asked) == len("a/p") {
		return asked[2*at : 2*at+1]
	}
	return n.halves[at]
}

// namesOf returns the names of a language; known is false where there are none here.
func namesOf(language int) (n names, known bool) {
	if language == 0 {
		language = english
	}
	text, known := languageNames[language]
	if !known {
		return n, false
	}
	lists := strings.Split(text, "|")
	n = names{strings.Fields(lists[0]), strings.Fields(lists[1]), strings.Fields(lists[2]), strings.Fields(lists[3]), []string{"AM", "PM"}}
	if len(lists) > 4 {
		n.halves = strings.Split(lists[4], "/")
	}
	return n, true
}

const english = 0x09

// languageTags are the numbers of languages that a format may name by a tag.
var languageTags = map[string]int{
	"bg": 0x02, "ca": 0x03, "cs": 0x05, "da": 0x06, "de": 0x07, "el": 0x08, "en": 0x09, "es": 0x0a, "fi": 0x0b, "fr": 0x0c, "hu": 0x0e, "is": 0x0f,
	"it": 0x10, "nl": 0x13, "nb": 0x14, "no": 0x14, "pl": 0x15, "pt": 0x16, "ro": 0x18, "ru": 0x19, "sk": 0x1b, "sv": 0x1d, "tr": 0x1f, "uk": 0x22,
	"sl": 0x24, "et": 0x25, "lv": 0x26, "lt": 0x27,
}

// languageNames are the names of months and days, whole and short, from January and Sunday, and those of the
// halves of the day where they are not AM and PM; by the number of the language.
var languageNames = map[int]string{
	0x02: "януари февруари март април май юни юли август септември октомври ноември декември|яну фев мар апр май юни юли авг сеп окт ное дек|" +
		"неделя понеделник вторник сряда четвъртък петък събота|нед пон вт ср четв пет съб",
	0x03: "gener febrer març abril maig juny juliol agost setembre octubre novembre desembre|gen. febr. març abr. maig juny jul. ag. set. oct. nov. des.|" +
		"diumenge dilluns dimarts dimecres dijous divendres dissabte|dg. dl. dt. dc. dj. dv. ds.|a. m./p. m.",
	0x05: "leden únor březen duben květen červen červenec srpen září říjen listopad prosinec|I II III IV V VI VII VIII IX X XI XII|" +
		"neděle pondělí úterý středa čtvrtek pátek sobota|ne po út st čt pá so|dop./odp.",
	0x06: "januar februar marts april maj juni juli august september oktober november december|jan feb mar apr maj jun jul aug sep okt nov dec|" +
		"søndag mandag tirsdag onsdag torsdag fredag lørdag|sø ma ti on to fr lø",
	0x07: "Januar Februar März April Mai Juni Juli August September Oktober November Dezember|Jan Feb Mär Apr Mai Jun Jul Aug Sep Okt Nov Dez|" +
		"Sonntag Montag Dienstag Mittwoch Donnerstag Freitag Samstag|So Mo Di Mi Do Fr Sa",
	0x08: "Ιανουάριος Φεβρουάριος Μάρτιος Απρίλιος Μάιος Ιούνιος Ιούλιος Αύγουστος Σεπτέμβριος Οκτώβριος Νοέμβριος Δεκέμβριος|" +
		"Ιαν Φεβ Μαρ Απρ Μαϊ Ιουν Ιουλ Αυγ Σεπ Οκτ Νοε Δεκ|Κυριακή Δευτέρα Τρίτη Τετάρτη Πέμπτη Παρασκευή Σάββατο|Κυρ Δευ Τρι Τετ Πεμ Παρ Σαβ|πμ/μμ",
	english: "January February March April May June July August September October November December|Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec|" +
		"Sunday Monday Tuesday Wednesday Thursday Friday Saturday|Sun Mon Tue Wed Thu Fri Sat",
	0x0a: "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre|ene feb mar abr may jun jul ago sep oct nov dic|" +
		"domingo lunes martes miércoles jueves viernes sábado|do. lu. ma. mi. ju. vi. sá.",
	0x0b: "tammikuu helmikuu maaliskuu huhtikuu toukokuu kesäkuu heinäkuu elokuu syyskuu lokakuu marraskuu joulukuu|" +
		"tammi helmi maalis huhti touko kesä heinä elo syys loka marras joulu|" +
		"sunnuntai maanantai tiistai keskiviikko torstai perjantai lauantai|su ma ti ke to pe la|ap./ip.",
	0x0c: "janvier février mars avril mai juin juillet août septembre octobre novembre décembre|janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.|" +
		"dimanche lundi mardi mercredi jeudi vendredi samedi|dim. lun. mar. mer. jeu. ven. sam.",
	0x0e: "január február március április május június július augusztus szeptember október november december|" +
		"jan. febr. márc. ápr. máj. jún. júl. aug. szept. okt. nov. dec.|vasárnap hétfő kedd szerda csütörtök péntek szombat|V H K Sze Cs P Szo|de./du.",
	0x0f: "janúar febrúar mars apríl maí júní júlí ágúst september október nóvember desember|jan. feb. mar. apr. maí jún. júl. ágú. sep. okt. nóv. des.|" +
		"sunnudagur mánudagur þriðjudagur miðvikudagur fimmtudagur föstudagur laugardagur|sun. mán. þri. mið. fim. fös. lau.|f.h./e.h.",
	0x10: "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre|gen feb mar apr mag giu lug ago set ott nov dic|" +
		"domenica lunedì martedì mercoledì giovedì venerdì sabato|dom lun mar mer gio ven sab",
	0x13: "januari februari maart april mei juni juli augustus september oktober november december|jan feb mrt apr mei jun jul aug sep okt nov dec|" +
		"zondag maandag dinsdag woensdag donderdag vrijdag zaterdag|zo ma di wo do vr za",
	0x14: "januar februar mars april mai juni juli august september oktober november desember|jan feb mar apr mai jun jul aug sep okt nov des|" +
		"søndag mandag tirsdag onsdag torsdag fredag lørdag|søn man tir ons tor fre lør|a.m./p.m.",
	0x15: "styczeń luty marzec kwiecień maj czerwiec lipiec sierpień wrzesień październik listopad grudzień|sty lut mar kwi maj cze lip sie wrz paź lis gru|" +
		"niedziela poniedziałek wtorek środa czwartek piątek sobota|niedz. pon. wt. śr. czw. pt. sob.",
	0x16: "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro|jan fev mar abr mai jun jul ago set out nov dez|" +
		"domingo segunda-feira terça-feira quarta-feira quinta-feira sexta-feira sábado|dom seg ter qua qui sex sáb",
	0x18: "ianuarie februarie martie aprilie mai iunie iulie august septembrie octombrie noiembrie decembrie|" +
		"ian. feb. mar. apr. mai iun. iul. aug. sept. oct. nov. dec.|duminică luni marți miercuri joi vineri sâmbătă|dum. lun. mar. mie. joi vin. sâm.|a.m./p.m.",
	0x19: "январь февраль март апрель май июнь июль август сентябрь октябрь ноябрь декабрь|янв. фев. март апр. май июнь июль авг. сен. окт. ноя. дек.|" +
		"воскресенье понедельник вторник среда четверг пятница суббота|Вс Пн Вт Ср Чт Пт Сб",
	0x1b: "január február marec apríl máj jún júl august september október november december|1 2 3 4 5 6 7 8 9 10 11 12|" +
		"nedeľa pondelok utorok streda štvrtok piatok sobota|ne po ut st št pi so",
	0x1d: "januari februari mars april maj juni juli augusti september oktober november december|jan. feb. mars apr. maj juni juli aug. sep. okt. nov. dec.|" +
		"söndag måndag tisdag onsdag torsdag fredag lördag|sön mån tis ons tor fre lör",
	0x1f: "Ocak Şubat Mart Nisan Mayıs Haziran Temmuz Ağustos Eylül Ekim Kasım Aralık|Oca Şub Mar Nis May Haz Tem Ağu Eyl Eki Kas Ara|" +
		"Pazar Pazartesi Salı Çarşamba Perşembe Cuma Cumartesi|Paz Pzt Sal Çar Per Cum Cmt|öö/öS",
	0x22: "січень лютий березень квітень травень червень липень серпень вересень жовтень листопад грудень|Січ Лют Бер Кві Тра Чер Лип Сер Вер Жов Лис Гру|" +
		"неділя понеділок вівторок середа четвер п'ятниця субота|Нд Пн Вт Ср Чт Пт Сб",
	0x24: "januar februar marec april maj junij julij avgust september oktober november december|jan. feb. mar. apr. maj jun. jul. avg. sep. okt. nov. dec.|" +
		"nedelja ponedeljek torek sreda četrtek petek sobota|ned. pon. tor. sre. čet. pet. sob.|dop./pop.",
	0x25: "jaanuar veebruar märts aprill mai juuni juuli august september oktoober november detsember|jaan veebr märts apr mai juuni juuli aug sept okt nov dets|" +
		"pühapäev esmaspäev teisipäev kolmapäev neljapäev reede laupäev|P E T K N R L",
	0x26: "janvāris februāris marts aprīlis maijs jūnijs jūlijs augusts septembris oktobris novembris decembris|" +
		"janv. febr. marts apr. maijs jūn. jūl. aug. sept. okt. nov. dec.|" +
		"svētdiena pirmdiena otrdiena trešdiena ceturtdiena piektdiena sestdiena|svētd. pirmd. otrd. trešd. ceturtd. piektd. sestd.|priekšp./pēcp.",
	0x27: "sausis vasaris kovas balandis gegužė birželis liepa rugpjūtis rugsėjis spalis lapkritis gruodis|" +
		"saus. vas. kov. bal. geg. birž. liep. rugp. rugs. spal. lapkr. gruod.|" +
		"sekmadienis pirmadienis antradienis trečiadienis ketvirtadienis penktadienis šeštadienis|sk pr an tr kt pn št|priešpiet/popiet",
}
