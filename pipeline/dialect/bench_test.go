package dialect_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/schema"
)

// usersFile returns a file like those that people import: 15 columns, names in UTF-8, some quoted cells.
func usersFile(rows int) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(of ...string) string { return of[random.IntN(len(of))] }
	var b bytes.Buffer
	b.WriteString("\ufeffFirst Name,Last Name,Display Name,User ID/Email (Required),User Status,Last Service Accessed Time," +
		"Title,Department,Phone Number,Preferred Language,Source Organization,Claim Type,Claim,Meetings,Messaging\r\n")
	for i := range rows {
		first, last := pick("Anna", "Björn", "Cecilia", "Åke"), pick("Lindström", "Berg", "Nilsson", "Öberg")
		display := first + " " + last
		switch random.IntN(200) {
		case 0:
			display = "\"" + first + "\r\n" + last + "\""
		case 1, 2, 3, 4, 5, 6, 7, 8, 9, 10:
			display = "\"" + last + ", " + first + "\""
		}
		fmt.Fprintf(&b, "%s,%s,%s,user%07d@acme.example,active,2024-03-%02dT10:00:00Z,%s,%s,,sv-SE,Personal,immediate,TRUE,,\r\n",
			first, last, display, i, 1+random.IntN(28), pick("Engineer", "Manager", ""), pick("Research", "Sales", ""))
	}
	return b.Bytes()
}

func BenchmarkRead(b *testing.B) {
	file := usersFile(100_000)
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	var records dialect.Records
	for b.Loop() {
		reader, err := dialect.NewReader(b.Context(), dialect.Text("users.csv", string(file)), dialect.Options{})
		if err != nil {
			b.Fatal(err)
		}
		for {
			block, err := reader.Next(b.Context())
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
			if err := block.Parse(reader.Format(), &records); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkEncodingCSV(b *testing.B) {
	file := usersFile(100_000)
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		reader := csv.NewReader(bytes.NewReader(file))
		reader.ReuseRecord, reader.FieldsPerRecord = true, -1
		for {
			if _, err := reader.Read(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkNext measures the serial part alone.
func BenchmarkNext(b *testing.B) {
	file := usersFile(100_000)
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		reader, err := dialect.NewReader(b.Context(), dialect.Text("users.csv", string(file)), dialect.Options{})
		if err != nil {
			b.Fatal(err)
		}
		for {
			if _, err := reader.Next(b.Context()); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	file := usersFile(100_000)
	rows, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		writer := dialect.NewWriter(io.Discard, schema.Format{CRLF: true, BOM: true})
		for _, row := range rows {
			if err := writer.WriteRaw(row); err != nil {
				b.Fatal(err)
			}
		}
		if err := writer.Flush(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWriteEncodingCSV(b *testing.B) {
	file := usersFile(100_000)
	rows, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		writer := csv.NewWriter(io.Discard)
		if err := writer.WriteAll(rows); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkScan measures the search for bytes that are not ASCII, in a file that has none.
func BenchmarkScan(b *testing.B) {
	file := bytes.Repeat([]byte("ann@acme.example,Ann,Lee,active\n"), 1<<20)
	b.SetBytes(int64(len(file)))
	for b.Loop() {
		if _, err := dialect.NewReader(b.Context(), dialect.Text("users.csv", string(file)), dialect.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
