package bulk

// Cut is how many bytes a request may hold at the moment.
func (e *Engine) Cut() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.size.limit
}

// Detained is how many bytes of batches wait for indices.
func (e *Engine) Detained() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.detained
}
