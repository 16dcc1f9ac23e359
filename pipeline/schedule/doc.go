// Package schedule imports files when they are due: which file is next, and when.
//
// when.go reads expressions by the clock on the wall of a zone. files.go says which files a schedule takes,
// and which paths it may name. A run is in run.go: it takes each new file, plans it, agrees to the plan as
// far as whoever made the schedule has, and notes what became of it. At a terminal the run also applies its
// imports (Scheduler.RunNow); in a service it leaves them queued, for whoever drives imports, and goes on
// with the next file once one has ended (Scheduler.RunOnce). One process at a time works on a schedule, under
// a lease; what is not noted when that process dies has not happened.
//
// Nobody is told anything here: what is to be told of runs is kept with them (store.Store.TellRuns).
package schedule
