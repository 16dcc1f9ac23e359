package input

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// Names as they are found in a Swedish company. Written without accents they are all different and sorted.
var (
	firstNames = byKey(strings.Fields(`Åke Åsa Ängla Östen Adam Agnes Ali Alva Amir Anders Anna Astrid Axel Beatrice Bengt Birgitta
		Björn Carl Cecilia Chloé Dag Dalia Ebba Edvin Elin Elsa Emil Erik Eva Fatima Filip Frida Göran Greta Gunnar Håkan Hanna
		Hélène Hugo Ida Ingrid Ivar Jürgen Johan Jonas Josefin Kajsa Karin Lars Lena Linnéa Łukasz Maja Malin Märta Måns Nils
		Noor Olof Örjan Pär Petra Rickard Saga Sara Sigrid Sixten Søren Stina Sven Tove Ulf Ulrika Vera Viktor Wilma Yasmin Ylva Zoë`))
	lastNames = byKey(strings.Fields(`Åberg Ågren Åkesson Ängström Öberg Öhman Östlund Ahmed Andersson Axelsson Bäckström Berg
		Bergström Björk Blomqvist Carlsson Dahl Dahlström Ek Eklund Engström Eriksson Falk Forsberg Gärdström Grönlund Gustafsson
		Häggström Hansson Hedlund Holm Isaksson Jansson Järvinen Johansson Jönsson Karlsson Kowalczyk Kjær Lindberg Lindström
		Ljungström Löfgren Lundqvist Magnusson Malmström Mårtensson Müller Näslund Nguyen Nilsson Nordström Norén Nyström Ohlsson
		Olsson Persson Petrović Rosén Sandström Sjöberg Söderberg Ström Sundström Svensson Törnqvist Ulvström Vikström Wallin
		Wikström Yılmaz Zetterström`))
	titles      = []string{"", "", "", "", "", "", "Säljare", "Chef", "Ingenjör", "Tekniker", "Jurist", "Ekonom", "Forskare"}
	departments = []string{"", "", "", "", "IT", "HR", "Sälj", "Inköp", "Lager", "Kundtjänst"}
	languages   = []string{"sv-SE", "sv-SE", "sv-SE", "en", "fi", ""}
	statuses    = []string{"active", "active", "active", "active", "verified", "not_verified", "pending"}
)

var folding = strings.NewReplacer("å", "a", "ä", "a", "ö", "o", "é", "e", "è", "e", "ë", "e", "ü", "u", "ø", "o", "ł", "l",
	"æ", "ae", "ć", "c", "ı", "i")

// fold writes a name as it stands in an address: lower case, without accents.
func fold(name string) string { return folding.Replace(strings.ToLower(name)) }

// byKey sorts names as addresses made of them are sorted: what follows a name there is a full stop.
func byKey(names []string) []string {
	slices.SortFunc(names, func(a, b string) int { return strings.Compare(fold(a)+".", fold(b)+".") })
	return names
}

func pick(r *rand.Rand, from []string) string { return from[r.IntN(len(from))] }

// phone returns a blank, or one of the numbers that are set aside for fiction: +46 70 174 06 05 to 99.
func phone(r *rand.Rand) string {
	if r.IntN(3) > 0 {
		return ""
	}
	return "+467017406" + strconv.Itoa(r.IntN(95) + 105)[1:]
}
