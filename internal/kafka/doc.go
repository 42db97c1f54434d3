// Package kafka holds the words that every other package shares: identifiers, special values and the
// one table of error codes. It imports nothing of this module.
package kafka
