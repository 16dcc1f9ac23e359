package controlhub

import (
	"context"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

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

// Said is what Control Hub says of one row in one record. A row may have several.
type Said struct {
	Line     int      // of the file
	Number   int      // of the row, as Control Hub counts
	Email    string   // blank: the file does not say
	Messages []string // none: nothing is said against the row
}

// ErrorFile is a file of errors, open at its first record.
type ErrorFile struct {
	Reader                 *dialect.Reader
	Number, Email, Message int // columns; Email -1: there is none
	Blank                  int // rows without any content that have come by
}

// OpenErrors opens a file of errors, in either shape. Refused with the codes of files, and with
// CodeColumnMissing where it is no such file.
func OpenErrors(ctx context.Context, source dialect.Source, limits dialect.Limits) (*ErrorFile, error) {
	reader, err := dialect.NewReader(ctx, source, dialect.Options{Limits: limits, SingleByte: dialect.Windows1252, Names: []string{rowNumberHeader}})
	if err != nil {
		return nil, err
	}
	e := &ErrorFile{Reader: reader, Number: -1, Email: -1, Message: -1}
	for i, header := range reader.Header() {
		column := -1
		switch _, field := Field(header); {
		case dialect.SameHeader(header, rowNumberHeader):
			column, e.Number = e.Number, i
		case dialect.SameHeader(header, errorMessageHeader):
			column, e.Message = e.Message, i
		case field == usersfile.Email:
			column, e.Email = e.Email, i
		}
		if column >= 0 {
			return nil, schema.Refuse(schema.CodeHeaderDuplicate, "The column %q stands in the header twice: as column %d and as column %d.", header, column+1, i+1).
				At(source.Name(), reader.HeaderLine(), i+1).In(header)
		}
	}
	for _, missing := range []struct {
		column int
		header string
	}{{e.Number, rowNumberHeader}, {e.Message, errorMessageHeader}} {
		if missing.column < 0 {
			return nil, schema.Refuse(schema.CodeColumnMissing, "The file has no column %q, so it is none of Control Hub's errors.", missing.header).
				At(source.Name(), reader.HeaderLine(), 0).WithFix("Download errors.csv again from the task in Control Hub, and name that.")
		}
	}
	return e, nil
}

// Each hands over what the file says, record by record. A record without a row number goes on with the row
// before it.
func (e *ErrorFile) Each(ctx context.Context, hand func(Said) error) error {
	var records dialect.Records
	format := e.Reader.Format()
	format.Columns = 0 // a message of several lines may have as many delimiters in it as a row has
	last := 0
	for {
		block, err := e.Reader.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = block.Parse(format, &records)
		}
		if err != nil {
			return err
		}
		e.Blank += records.BlankRows
		for i := range records.Len() {
			cells := records.Cells(i)
			if dialect.IsHeader(e.Reader.Header(), cells) {
				continue
			}
			s, err := e.read(records.Line(i), cells, last)
			if err != nil {
				return err
			}
			last = s.Number
			if err := hand(s); err != nil {
				return err
			}
		}
	}
}

// read reads one record; last is the row that the one before it was about.
func (e *ErrorFile) read(line int, cells []string, last int) (Said, error) {
	cell := func(column int) string {
		if column < 0 || column >= len(cells) {
			return ""
		}
		value, _ := dialect.Clean(cells[column])
		return value
	}
	s := Said{Line: line, Email: cell(e.Email)}
	number, message := cell(e.Number), cell(e.Message)
	if e.Message < len(cells) && e.Message == len(e.Reader.Header())-1 { // a message without quotes may have delimiters in it
		message, _ = dialect.Clean(strings.Join(cells[e.Message:], string(rune(delimiterOf(e.Reader)))))
	}
	n, err := strconv.Atoi(number)
	switch {
	case err == nil && n >= 0:
		s.Number = n
	case last > 0 && number == "":
		s.Number = last
	case last > 0 && e.Number == 0 && sentence.MatchString(number):
		s.Number, s.Email = last, "" // the next line of a message without quotes
		message, _ = dialect.Clean(strings.Join(cells, string(rune(delimiterOf(e.Reader)))))
	default:
		return s, schema.Refuse(schema.CodeValueInvalid, "This is not the number of a row: %s.", schema.Quote(number)).
			At(e.Reader.Name(), line, e.Number+1).In(e.Reader.Header()[e.Number]).
			WithFix("Download errors.csv again from the task in Control Hub: the numbers say which rows it is about.")
	}
	s.Messages = messagesOf(message)
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

// Addresses returns the keys of the addresses that a message quotes.
func Addresses(message string) []string {
	var keys []string
	for _, found := range quotedAddress.FindAllString(message, -1) {
		if key, problem := schema.ParseAddress(strings.TrimRight(found, ".!?")); problem == "" {
			keys = append(keys, key)
		}
	}
	return keys
}
