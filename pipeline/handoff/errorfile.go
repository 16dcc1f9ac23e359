package handoff

import (
	"context"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/claimline/claimline/pipeline/controlhub"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// The headers of the file in which Control Hub says what was wrong with rows. The middle one is in older
// files only.
const (
	rowNumberHeader    = "Row Number"
	errorMessageHeader = "Error Message"
)

// said is what Control Hub says of one row in one record. A row may have several.
type said struct {
	line     int      // of the file
	number   int      // of the row, as Control Hub counts
	email    string   // blank: the file does not say
	messages []string // none: nothing is said against the row
}

// errorFile is a file of errors, open at its first record.
type errorFile struct {
	reader                 *dialect.Reader
	number, email, message int // columns; email -1: there is none
	blank                  int // rows without any content that have come by
}

// openErrors opens a file of errors, in either shape. Refused with the codes of files, and with
// CodeColumnMissing where it is no such file.
func openErrors(ctx context.Context, source dialect.Source, limits dialect.Limits) (*errorFile, error) {
	reader, err := dialect.NewReader(ctx, source, dialect.Options{Limits: limits, SingleByte: dialect.Windows1252, Names: []string{rowNumberHeader}})
	if err != nil {
		return nil, err
	}
	e := &errorFile{reader: reader, number: -1, email: -1, message: -1}
	for i, header := range reader.Header() {
		column := -1
		switch _, field := controlhub.Field(header); {
		case dialect.SameHeader(header, rowNumberHeader):
			column, e.number = e.number, i
		case dialect.SameHeader(header, errorMessageHeader):
			column, e.message = e.message, i
		case field == usersfile.Email:
			column, e.email = e.email, i
		}
		if column >= 0 {
			return nil, schema.Refuse(schema.CodeHeaderDuplicate, "The column %q stands in the header twice: as column %d and as column %d.", header, column+1, i+1).
				At(source.Name(), reader.HeaderLine(), i+1).In(header)
		}
	}
	for _, missing := range []struct {
		column int
		header string
	}{{e.number, rowNumberHeader}, {e.message, errorMessageHeader}} {
		if missing.column < 0 {
			return nil, schema.Refuse(schema.CodeColumnMissing, "The file has no column %q, so it is none of Control Hub's errors.", missing.header).
				At(source.Name(), reader.HeaderLine(), 0).WithFix("Download errors.csv again from the task in Control Hub, and name that.")
		}
	}
	return e, nil
}

// each hands over what the file says, record by record. A record without a row number goes on with the row
// before it.
func (e *errorFile) each(ctx context.Context, hand func(said) error) error {
	var records dialect.Records
	format := e.reader.Format()
	format.Columns = 0 // a message of several lines may have as many delimiters in it as a row has
	last := 0
	for {
		block, err := e.reader.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = block.Parse(format, &records)
		}
		if err != nil {
			return err
		}
		e.blank += records.BlankRows
		for i := range records.Len() {
			cells := records.Cells(i)
			if dialect.IsHeader(e.reader.Header(), cells) {
				continue
			}
			s, err := e.read(records.Line(i), cells, last)
			if err != nil {
				return err
			}
			last = s.number
			if err := hand(s); err != nil {
				return err
			}
		}
	}
}

// read reads one record; last is the row that the one before it was about.
func (e *errorFile) read(line int, cells []string, last int) (said, error) {
	cell := func(column int) string {
		if column < 0 || column >= len(cells) {
			return ""
		}
		value, _ := dialect.Clean(cells[column])
		return value
	}
	s := said{line: line, email: cell(e.email)}
	number, message := cell(e.number), cell(e.message)
	if e.message < len(cells) && e.message == len(e.reader.Header())-1 { // a message without quotes may have delimiters in it
		message, _ = dialect.Clean(strings.Join(cells[e.message:], string(rune(delimiterOf(e.reader)))))
	}
	n, err := strconv.Atoi(number)
	switch {
	case err == nil && n >= 0:
		s.number = n
	case last > 0 && number == "":
		s.number = last
	case last > 0 && e.number == 0 && sentence.MatchString(number):
		s.number, s.email = last, "" // the next line of a message without quotes
		message, _ = dialect.Clean(strings.Join(cells, string(rune(delimiterOf(e.reader)))))
	default:
		return s, schema.Refuse(schema.CodeValueInvalid, "This is not the number of a row: %s.", schema.Quote(number)).
			At(e.reader.Name(), line, e.number+1).In(e.reader.Header()[e.number]).
			WithFix("Download errors.csv again from the task in Control Hub: the numbers say which rows it is about.")
	}
	s.messages = messagesOf(message)
	return s, nil
}

// messagesOf splits what a cell says into messages. Each ends in its tracking id, and may have been broken
// into lines before it; without such ids every line is one.
func messagesOf(cell string) []string {
	var messages []string
	open := ""
	tracked := tracking.MatchString(cell)
	for line := range strings.Lines(cell) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		open = strings.TrimSpace(open + " " + line)
		if !tracked || tracking.MatchString(line) {
			messages, open = append(messages, open), ""
		}
	}
	if open != "" {
		messages = append(messages, open)
	}
	return messages
}

// sentence is text that is no number, however it was mangled.
var sentence = regexp.MustCompile(`^\pL.*\s\S`)

func delimiterOf(reader *dialect.Reader) byte {
	if delimiter := reader.Format().Delimiter; delimiter != 0 {
		return delimiter
	}
	return ','
}

// quotedAddress finds addresses in a message.
var quotedAddress = regexp.MustCompile(`[^\s"'<>()\[\]{},;:]+@[^\s"'<>()\[\]{},;:]+`)

// addresses returns the keys of the addresses that a message quotes.
func addresses(message string) []string {
	var keys []string
	for _, found := range quotedAddress.FindAllString(message, -1) {
		if key, problem := schema.ParseAddress(strings.TrimRight(found, ".!?")); problem == "" {
			keys = append(keys, key)
		}
	}
	return keys
}
