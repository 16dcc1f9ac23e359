package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/claimline/claimline/schema"
	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// wrap says what was being done when err happened. Refusals are returned as they are; what the driver reports becomes a
// refusal where an administrator can do something about it.
func wrap(err error, doing string) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*schema.Error](err); ok {
		return err
	}
	wrapped := fmt.Errorf("%s: %w", doing, err)
	failure, ok := errors.AsType[*driver.Error](err)
	if !ok {
		return wrapped
	}
	switch failure.Code() & 0xff { // the primary code
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		return &schema.Error{Code: schema.CodeDatabaseBusy, Err: wrapped}
	case lib.SQLITE_FULL:
		return &schema.Error{Code: schema.CodeDatabaseFull, Err: wrapped}
	case lib.SQLITE_READONLY, lib.SQLITE_PERM:
		return &schema.Error{Code: schema.CodeDatabaseReadOnly, Err: wrapped}
	case lib.SQLITE_CANTOPEN:
		return schema.Refuse(schema.CodeDatabaseReadOnly, "The database or its folder cannot be opened.").Because(wrapped)
	case lib.SQLITE_NOTADB, lib.SQLITE_CORRUPT:
		return &schema.Error{Code: schema.CodeDatabaseInvalid, Err: wrapped}
	case lib.SQLITE_INTERRUPT:
		return fmt.Errorf("%s: %w (%w)", doing, context.Canceled, err)
	}
	return wrapped
}

// isUnique reports whether err is a broken unique index.
func isUnique(err error) bool {
	failure, ok := errors.AsType[*driver.Error](err)
	return ok && (failure.Code() == lib.SQLITE_CONSTRAINT_UNIQUE || failure.Code() == lib.SQLITE_CONSTRAINT_PRIMARYKEY)
}
