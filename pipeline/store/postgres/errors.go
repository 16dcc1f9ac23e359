package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// The states that the server names and the store tells apart: see the appendix on error codes in PostgreSQL's
// manual.
const (
	uniqueViolation      = "23505"
	readOnlyTransaction  = "25006"
	idleInTransaction    = "25P03"
	invalidPassword      = "28P01"
	invalidAuthorization = "28000"
	noSuchDatabase       = "3D000"
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
	insufficientRights   = "42501"
	diskFull             = "53100"
	tooManyConnections   = "53300"
	lockNotAvailable     = "55P03"
	adminShutdown        = "57P01"
	crashShutdown        = "57P02"
	cannotConnectNow     = "57P03"
	databaseDropped      = "57P04"
)

// refused returns a refusal in the code's own words.
func refused(code schema.Code) *schema.Error { return &schema.Error{Code: code} }

// refuse returns a refusal.
func refuse(code schema.Code, format string, args ...any) *schema.Error {
	return schema.Refuse(code, format, args...)
}

// wrap turns what the server or the way to it reports into a refusal where an administrator can do something
// about it. Refusals are returned as they are.
func (db *DB) wrap(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*schema.Error](err); ok {
		return err
	}
	if failure, ok := errors.AsType[*pgconn.PgError](err); ok {
		if refusal := db.told(failure); refusal != nil {
			return refusal.Because(err)
		}
		return err
	}
	switch {
	case errors.Is(err, store.ErrConflict):
		return refused(schema.CodeDatabaseBusy).Because(err)
	case errors.Is(err, context.Canceled):
		return err
	}
	if lost(err) {
		return refuse(schema.CodeDatabaseUnreachable, "The server of the database, %s, does not answer.", db.server()).Because(err)
	}
	return err
}

// told turns what the server told into a refusal; nil: it is nothing that an administrator can do something
// about.
func (db *DB) told(failure *pgconn.PgError) *schema.Error {
	switch failure.Code {
	case serializationFailure, deadlockDetected, lockNotAvailable:
		return refused(schema.CodeDatabaseBusy)
	case tooManyConnections:
		return refuse(schema.CodeDatabaseBusy, "The server of the database has no connection left.").
			WithFix("Try again, raise max_connections of the server, or limit those of each process: add pool_max_conns=N to the address given with --db.")
	case diskFull:
		return refused(schema.CodeDatabaseFull)
	case readOnlyTransaction:
		return refuse(schema.CodeDatabaseReadOnly, "The server of the database only answers questions now.").
			WithFix("Give the address of the server that can be written to with --db.")
	case invalidPassword, invalidAuthorization:
		return refuse(schema.CodeDatabaseDenied, "The server of the database, %s, does not let user %q in.", db.server(), db.config.ConnConfig.User)
	case insufficientRights:
		return refuse(schema.CodeDatabaseDenied, "User %q may not do that in the database.", db.config.ConnConfig.User).
			WithFix("Let the owner of the database run it once, or: GRANT what is missing. The server says: %s.", failure.Message)
	case noSuchDatabase, databaseDropped:
		return refuse(schema.CodeDatabaseMissing, "There is no database %q on the server %s.", db.config.ConnConfig.Database, db.server()).
			WithFix("Create it: createdb %s. Then load a snapshot: claimline load DIR.", db.config.ConnConfig.Database)
	case idleInTransaction, adminShutdown, crashShutdown, cannotConnectNow:
		return refuse(schema.CodeDatabaseUnreachable, "The server of the database, %s, has ended the connection, or accepts none now.", db.server())
	}
	switch failure.Code[:min(2, len(failure.Code))] {
	case "08":
		return refused(schema.CodeDatabaseUnreachable)
	case "58", "XX":
		return refused(schema.CodeDatabaseFailing)
	}
	return nil
}

// server names the server, without user and password.
func (db *DB) server() string {
	c := db.config.ConnConfig
	if strings.HasPrefix(c.Host, "/") {
		return c.Host
	}
	return net.JoinHostPort(c.Host, fmt.Sprint(c.Port))
}

// lost reports whether the connection to the server was lost, or could not be made.
func lost(err error) bool {
	if _, connecting := errors.AsType[*pgconn.ConnectError](err); connecting {
		return true
	}
	if _, net := errors.AsType[net.Error](err); net {
		return true
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		pgconn.SafeToRetry(err) || strings.Contains(err.Error(), "conn closed") // pgx has no value for that one
}

// conflicting reports whether a transaction was undone because of others, so that it can be run again.
func conflicting(err error) bool {
	if errors.Is(err, store.ErrConflict) {
		return true
	}
	failure, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (failure.Code == serializationFailure || failure.Code == deadlockDetected)
}

// twice says so where err is a broken unique index.
func twice(err error) error {
	failure, ok := errors.AsType[*pgconn.PgError](err)
	if ok && failure.Code == uniqueViolation {
		return fmt.Errorf("%w: %w", store.ErrTwice, err)
	}
	return err
}

// ignoreClosed drops the error of a roll-back that has already happened.
func ignoreClosed(err error) error {
	if errors.Is(err, pgx.ErrTxClosed) || err != nil && lost(err) {
		return nil
	}
	return err
}
