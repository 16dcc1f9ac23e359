package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// refused returns a refusal in the code's own words.
func refused(code schema.Code) *schema.Error { return &schema.Error{Code: code} }

// refuse returns a refusal.
func refuse(code schema.Code, format string, args ...any) *schema.Error {
	return schema.Refuse(code, format, args...)
}

// wrap turns what the driver reports into a refusal where an administrator can do something about it.
// Refusals are returned as they are.
func wrap(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*schema.Error](err); ok {
		return err
	}
	failure, ok := errors.AsType[*driver.Error](err)
	if !ok {
		return err
	}
	switch failure.Code() & 0xff { // the primary code
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		return refused(schema.CodeDatabaseBusy).Because(err)
	case lib.SQLITE_FULL:
		return refused(schema.CodeDatabaseFull).Because(err)
	case lib.SQLITE_IOERR:
		return refused(schema.CodeDatabaseFailing).Because(err)
	case lib.SQLITE_READONLY, lib.SQLITE_PERM:
		return refused(schema.CodeDatabaseReadOnly).Because(err)
	case lib.SQLITE_CANTOPEN:
		return refuse(schema.CodeDatabaseReadOnly, "The database or its folder cannot be opened.").Because(err)
	case lib.SQLITE_NOTADB, lib.SQLITE_CORRUPT:
		return refused(schema.CodeDatabaseInvalid).Because(err)
	case lib.SQLITE_INTERRUPT:
		return fmt.Errorf("%w (%w)", context.Canceled, err)
	}
	return err
}

// twice says so where err is a broken unique index.
func twice(err error) error {
	failure, ok := errors.AsType[*driver.Error](err)
	if ok && (failure.Code() == lib.SQLITE_CONSTRAINT_UNIQUE || failure.Code() == lib.SQLITE_CONSTRAINT_PRIMARYKEY) {
		return fmt.Errorf("%w: %w", store.ErrTwice, err)
	}
	return err
}
