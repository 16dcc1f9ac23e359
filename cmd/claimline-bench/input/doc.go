// Package input makes the files that Claimline is measured and shown with: a snapshot and a users file of as
// many users as one likes, the same for the same seed (Generate), and the files of samples/ (Samples).
package input
