document.body.textContent = 'Galvani'
