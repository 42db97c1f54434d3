package vfs

import "errors"

type faultyFile struct {
	File
	rules *FaultyFS
}

func (f *faultyFile) ReadAt(p []byte, off int64) (int, error) {
	r := f.rules.hit(OpRead, f.Name())
	if r.Err != nil {
		return 0, pathError("read", f.Name(), r.Err)
	}
	n, err := f.File.ReadAt(p, off)
	if at := r.Flip - 1; r.Flip > 0 && at >= off && at < off+int64(n) {
		p[at-off] ^= 0x10
	}
	return n, err
}

func (f *faultyFile) WriteAt(p []byte, off int64) (int, error) {
	r := f.rules.hit(OpWrite, f.Name())
	if r.Err == nil {
		return f.File.WriteAt(p, off)
	}
	failed := pathError("write", f.Name(), r.Err)
	if r.Short == 0 {
		return 0, failed
	}
	n, err := f.File.WriteAt(p[:min(r.Short, len(p))], off)
	if err != nil {
		return n, err
	}
	return n, failed
}

func (f *faultyFile) Sync() error {
	if err := f.rules.fail(OpSync, "sync", f.Name()); err != nil {
		return err
	}
	return f.File.Sync()
}

func (f *faultyFile) SyncData() error {
	if err := f.rules.fail(OpSync, "fdatasync", f.Name()); err != nil {
		return err
	}
	return f.File.SyncData()
}

func (f *faultyFile) Truncate(size int64) error {
	if err := f.rules.fail(OpTruncate, "truncate", f.Name()); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

func (f *faultyFile) Preallocate(off, size int64) error {
	if err := f.rules.fail(OpPreallocate, "fallocate", f.Name()); err != nil {
		return err
	}
	return f.File.Preallocate(off, size)
}

// Written implements [WrittenFile].
func (f *faultyFile) Written() error {
	if err := f.rules.fail(OpSync, "sync_file_range", f.Name()); err != nil {
		return err
	}
	if inner, ok := f.File.(WrittenFile); ok {
		return inner.Written()
	}
	return errors.ErrUnsupported
}
