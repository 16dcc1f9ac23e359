package screen

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// Spool keeps records until all of them are there, in little memory however many they are: beyond a few
// megabytes they go to a temporary file, and of each only its place and its key stay. It must be closed.
type Spool struct {
	records []record
	buffer  bytes.Buffer // what is not in the file yet
	file    *os.File     // nil: all is in the buffer
	named   bool         // the file has a name still
	written int64        // bytes in the file
}

// record is the place of one record.
type record struct {
	key    int64
	at     int64
	length int32
}

const spoolBuffer = 4 << 20 // bytes

// Add keeps one more record, under a key by which they may be sorted.
func (s *Spool) Add(key int64, data []byte) error {
	s.records = append(s.records, record{key: key, at: s.written + int64(s.buffer.Len()), length: int32(len(data))})
	s.buffer.Write(data)
	if s.buffer.Len() < spoolBuffer {
		return nil
	}
	if s.file == nil {
		var err error
		if s.file, err = os.CreateTemp("", "claimline-*"); err != nil {
			return fmt.Errorf("make a temporary file: %w", err)
		}
		s.named = os.Remove(s.file.Name()) != nil // where the system lets it go at once, nothing can leave it behind
	}
	n, err := s.buffer.WriteTo(s.file)
	s.written += n
	if err != nil {
		return fmt.Errorf("write a temporary file: %w", err)
	}
	return nil
}

// Len returns the number of records.
func (s *Spool) Len() int { return len(s.records) }

// Sort puts the records in the order of their keys; those with the same key stay in the order in which they
// came.
func (s *Spool) Sort() {
	slices.SortStableFunc(s.records, func(a, b record) int { return cmp.Compare(a.key, b.key) })
}

// Each hands over the records one by one, like First.
func (s *Spool) Each(each func(data []byte) error) error { return s.First(0, each) }

// First hands over the first records, at most limit of them; 0: all. A record is not valid after each
// returns; an error of each ends it and is returned.
func (s *Spool) First(limit int, each func(data []byte) error) error {
	records := s.records
	if limit > 0 && len(records) > limit {
		records = records[:limit]
	}
	var data []byte
	for _, r := range records {
		if r.at >= s.written { // still in the buffer
			from := r.at - s.written
			data = append(data[:0], s.buffer.Bytes()[from:from+int64(r.length)]...)
		} else {
			data = slices.Grow(data[:0], int(r.length))[:r.length]
			if _, err := s.file.ReadAt(data, r.at); err != nil && !errors.Is(err, io.EOF) {
				return fmt.Errorf("read a temporary file: %w", err)
			}
		}
		if err := each(data); err != nil {
			return err
		}
	}
	return nil
}

// Close removes what was kept.
func (s *Spool) Close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	if s.named {
		err = errors.Join(err, os.Remove(s.file.Name()))
	}
	return err
}
