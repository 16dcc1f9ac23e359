package numfmt

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// section is one of the formats that a format has for different numbers.
type section struct {
	code      string // without its colour and its condition
	compare   string // of its condition; blank: it has none
	than      float64
	dateLike  bool // it shows a date or a time
	fraction  bool // it shows a fraction, if it shows no date
	tokens    []formatToken
	condition bool
}

// formatToken is a part of a section: a place for a digit (0, # or ?), a sign of the format, or text.
type formatToken struct {
	kind byte // one of 0 # ? . , % E G (as a number is shown without a format), or " for text
	text string
}

// sectionsOf takes a format apart. That zero, conditions and signs between digits are shown rightly matters:
// a FALSE that LibreOffice has as a number would be read as TRUE.
func sectionsOf(code string) (sections []section) {
	for {
		s, rest, more := nextSection(code)
		if sections = append(sections, s); !more || len(sections) == 4 {
			return sections
		}
		code = rest
	}
}

// nextSection takes the first section off a format.
func nextSection(code string) (s section, rest string, more bool) {
	text := func(t string) {
		if t != "" {
			s.tokens = append(s.tokens, formatToken{'"', t})
		}
	}
	i := 0
	for i < len(code) && code[i] != ';' {
		begin := i
		switch c := code[i]; {
		case c == '"':
			end := strings.IndexByte(code[i+1:], '"')
			if end < 0 {
				end = len(code) - i - 1
			}
			text(code[i+1 : i+1+end])
			i = min(i+end+2, len(code))
		case c == '\\':
			size := firstRune(code[i+1:])
			text(code[i+1 : i+1+size])
			i += 1 + size
		case c == '_': // a blank as wide as the character
			size := firstRune(code[i+1:])
			text(" ")
			i += 1 + size
		case c == '*': // fills the cell, whose width does not matter
			size := firstRune(code[i+1:])
			i += 1 + size
		case c == '[':
			end := strings.IndexByte(code[i:], ']')
			if end < 0 {
				end = len(code) - i
			}
			text(s.bracket(code[i+1 : i+end]))
			i = min(i+end+1, len(code))
		case len(code)-i >= len("general") && strings.EqualFold(code[i:i+len("general")], "general"):
			s.tokens = append(s.tokens, formatToken{'G', ""})
			i += len("general")
		case strings.IndexByte("0#?.,%", c) >= 0:
			s.tokens = append(s.tokens, formatToken{c, string(c)})
			i++
		case (c == 'E' || c == 'e') && i+1 < len(code) && (code[i+1] == '+' || code[i+1] == '-'):
			s.tokens = append(s.tokens, formatToken{'E', code[i : i+2]})
			i += 2
		default:
			size := firstRune(code[i:])
			s.dateLike = s.dateLike || strings.IndexByte("yYmMdDhHsSbBaAgGeE", c) >= 0
			s.fraction = s.fraction || c == '/'
			text(code[i : i+size])
			i += size
		}
		if !s.condition || code[begin] != '[' {
			s.code += code[begin:i]
		}
		s.condition = false
	}
	if i == len(code) {
		return s, "", false
	}
	return s, code[i+1:], true
}

// firstRune returns how long the first character of a text is.
func firstRune(s string) int {
	_, size := utf8.DecodeRuneInString(s)
	return size
}

// bracket takes in what stands in brackets, and returns what is shown of it.
func (s *section) bracket(inside string) string {
	currency, isCurrency := strings.CutPrefix(inside, "$")
	switch lower := strings.ToLower(inside); {
	case isCurrency:
		currency, _, _ = strings.Cut(currency, "-")
		return currency
	case lower != "" && strings.Trim(lower, "hms") == "": // hours beyond a day
		s.dateLike = true
	case strings.IndexAny(inside, "<>=") == 0:
		sign := strings.TrimRight(inside, "-.0123456789 ")
		if than, err := strconv.ParseFloat(strings.TrimSpace(inside[len(sign):]), 64); err == nil {
			s.compare, s.than, s.condition = sign, than, true
		}
	}
	return ""
}

// holds reports whether the section's condition holds for a number.
func (s *section) holds(value float64) bool {
	switch s.compare {
	case "<":
		return value < s.than
	case "<=":
		return value <= s.than
	case ">":
		return value > s.than
	case ">=":
		return value >= s.than
	case "=":
		return value == s.than
	case "<>":
		return value != s.than
	}
	return true
}

// pick returns the section that shows a number, and what it shows of it: a section of its own for negative
// numbers shows them without their sign.
func pick(sections []section, value float64) (*section, float64) {
	if sections[0].compare != "" || len(sections) > 1 && sections[1].compare != "" {
		for i := range sections[:min(len(sections), 3)] {
			s := &sections[i]
			if s.compare == "" && i == 0 && value <= 0 && len(sections) > 2 { // without one, the first is for positive numbers
				continue
			}
			if s.holds(value) {
				return s, value
			}
		}
		return &sections[min(len(sections), 3)-1], value
	}
	switch {
	case value < 0 && len(sections) > 1:
		return &sections[1], -value
	case value == 0 && len(sections) > 2:
		return &sections[2], value
	}
	return &sections[0], value
}

// show returns a number as the section shows it; ok is false where it is a date or a time. What is to be a
// fraction has decimals.
func (s *section) show(value float64) (shown string, ok bool) {
	if s.dateLike {
		return "", false
	}
	var before, behind, exponent []int // tokens that are places for digits, before and behind the decimal point
	var exponentSign string
	scale, grouped, point, commas := 0, false, false, 0
	for i, token := range s.tokens {
		switch token.kind {
		case '0', '#', '?':
			switch {
			case exponentSign != "":
				exponent = append(exponent, i)
			case point:
				behind = append(behind, i)
			default:
				grouped = grouped || commas > 0 && len(before) > 0
				commas = 0
				before = append(before, i)
			}
		case ',':
			commas++
		case '.':
			point = true
		case '%':
			scale += 2
		case 'E':
			exponentSign = token.text
		}
	}
	switch {
	case len(before)+len(behind) == 0:
		return s.words(value), true
	case s.fraction:
		return general(value), true
	}
	if commas > 0 { // those behind the last digit take thousands off
		scale -= 3 * commas
	}
	power := 0
	digits := decimal(math.Abs(value), scale)
	if exponentSign != "" && value != 0 {
		power = len(strings.TrimLeft(digits.whole, "0")) - max(1, len(before))
		if strings.TrimLeft(digits.whole, "0") == "" {
			power = -(len(digits.part) - len(strings.TrimLeft(digits.part, "0"))) - max(1, len(before))
		}
		digits = decimal(math.Abs(value), scale-power)
	}
	whole, part := digits.round(len(behind))
	if len(strings.TrimLeft(whole, "0")) > max(1, len(before)) && exponentSign != "" { // rounded up to one digit more
		power++
		whole, part = decimal(math.Abs(value), scale-power).round(len(behind))
	}
	whole = strings.TrimLeft(whole, "0")
	return s.fill(value < 0 && strings.Trim(whole+part, "0") != "", whole, part, grouped, before, behind, exponent, power), true
}

// words returns what a section without places for digits shows.
func (s *section) words(value float64) string {
	var b strings.Builder
	for _, token := range s.tokens {
		switch token.kind {
		case 'G':
			b.WriteString(general(value))
		case '"':
			b.WriteString(token.text)
		case '%':
			b.WriteByte('%')
		}
	}
	return b.String()
}

// fill puts digits in their places.
func (s *section) fill(negative bool, whole, part string, grouped bool, before, behind, exponent []int, power int) string {
	places := map[int]string{}
	put := func(list []int, digits string, group bool) {
		for n, at := range slices.Backward(list) {
			fromRight := len(list) - 1 - n
			digit := ""
			switch left := len(digits) - 1 - fromRight; {
			case left < 0 && s.tokens[at].kind == '0':
				digit = "0"
			case left < 0 && s.tokens[at].kind == '?':
				digit = " "
			case left >= 0 && n == 0:
				digit = digits[:left+1] // all that are left
			case left >= 0:
				digit = digits[left : left+1]
			}
			if group {
				digit = groupDigits(digit, fromRight)
			}
			places[at] = digit
		}
	}
	put(before, whole, grouped)
	last := len(strings.TrimRight(part, "0")) // what # shows
	for n, at := range behind {
		switch kind := s.tokens[at].kind; {
		case kind == '0' || n < last:
			places[at] = part[n : n+1]
		case kind == '?':
			places[at] = " "
		}
	}
	if len(exponent) > 0 {
		put(exponent, strings.TrimLeft(strconv.Itoa(max(power, -power)), "0"), false)
	}
	var b strings.Builder
	if negative {
		b.WriteByte('-')
	}
	if len(before) == 0 {
		b.WriteString(whole)
	}
	for i, token := range s.tokens {
		switch token.kind {
		case '0', '#', '?':
			b.WriteString(places[i])
		case '.', '%', '"':
			b.WriteString(token.text)
		case 'G':
			b.WriteString(whole)
		case 'E':
			b.WriteByte(token.text[0])
			if power < 0 {
				b.WriteByte('-')
			} else if token.text[1] == '+' {
				b.WriteByte('+')
			}
		}
	}
	return b.String()
}

// groupDigits puts a comma behind each digit behind which a multiple of three follow; right of them stand
// fromRight others.
func groupDigits(digits string, fromRight int) string {
	var b strings.Builder
	for i := range len(digits) {
		b.WriteByte(digits[i])
		if follow := len(digits) - 1 - i + fromRight; follow > 0 && follow%3 == 0 && digits[i] != ' ' {
			b.WriteByte(',')
		}
	}
	return b.String()
}

// digits are those of a number that is not negative, before and behind its decimal point.
type digits struct{ whole, part string }

// decimal returns the digits of a number times a power of ten: as many as a spreadsheet program has.
func decimal(value float64, power int) digits {
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(value, 'e', 14, 64), "e")
	point, _ := strconv.Atoi(exponent)
	all := strings.Replace(mantissa, ".", "", 1)
	point += 1 + power // how many digits stand before the decimal point
	switch {
	case point <= 0:
		return digits{"0", strings.Repeat("0", min(-point, 400)) + all}
	case point >= len(all):
		return digits{all + strings.Repeat("0", min(point-len(all), 400)), ""}
	}
	return digits{all[:point], all[point:]}
}

// round returns the digits with so many behind the decimal point; a half is rounded up.
func (d digits) round(places int) (whole, part string) {
	if len(d.part) <= places {
		return d.whole, d.part + strings.Repeat("0", places-len(d.part))
	}
	all := []byte("0" + d.whole + d.part[:places])
	if d.part[places] >= '5' {
		i := len(all) - 1
		for ; all[i] == '9'; i-- {
			all[i] = '0'
		}
		all[i]++
	}
	return string(all[:len(all)-places]), string(all[len(all)-places:])
}
