// Package desk does what the API and the pages do in the same way: it takes in files, says how imports stand,
// claims users by hand, and hands files out.
package desk
