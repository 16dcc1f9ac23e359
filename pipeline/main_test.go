package pipeline

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/claimline/claimline/pipeline/store/testdb"
)

// Whatever the tests of this package start ends with them.
func TestMain(m *testing.M) {
	testdb.Without("TestHandSourceIsReadBack", "TestNew", "TestNewWithoutStore", "TestOpenFile", "TestParseCSV", "TestReportsCopyWhatTheySayLater", "TestRooms",
		"TestRoomsHaveTheirPlace", "TestSamplesAreCheckedAlike") // no database
	goleak.VerifyTestMain(m)
}
