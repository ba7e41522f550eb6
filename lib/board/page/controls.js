// What may be done to a run that is training, where its server allows it: stop it, save a checkpoint, change the learning rate.
import { announce, choice, element, newId, oncePerFrame, replace } from './dom.js'
import { focus, listen, nameOf, runs, setFocus, source } from './store.js'

/** @param {HTMLElement} root */
export function openControls(root) {
  const message = element('p', { class: 'quiet', role: 'status' })
  const content = element('div', { class: 'controls' })
  let drawn = ''
  const update = oncePerFrame(() => {
    const able = source.canControl ? [...runs.values()].filter(({ controls }) => controls) : []
    const run = able.find(({ id }) => id === focus()?.id) ?? able.at(-1)
    root.hidden = run === undefined
    const wanted = JSON.stringify([able.map(({ id }) => id), run?.id, run?.learningRate === undefined])
    if (wanted === drawn) return
    drawn = wanted
    if (run === undefined) return replace(content)
    const choices = able.map((run) => /** @type {const} */ ([run.id, nameOf(run)]))
    replace(content, able.length > 1 && choice('Run', choices, run.id, setFocus), ...buttons(run.id, message))
  })
  replace(root, element('h2', {}, 'Control'), content, message)
  for (const event of /** @type {const} */ (['runs', 'focus', 'shown'])) listen(event, update)
  update()
}

/** @param {string} run @param {HTMLElement} message */
function buttons(run, message) {
  /** @param {import('./source.js').ControlRequest} request */
  const send = async (request) => {
    try {
      message.textContent = await source.control(request)
    } catch (error) {
      message.textContent = `That failed: ${error instanceof Error ? error.message : error}`
    }
    announce(message.textContent ?? '')
  }
  const rate = element('input', {
    type: 'number',
    min: 0,
    step: 'any',
    required: true,
    value: runs.get(run)?.learningRate ?? '',
  })
  const form = element(
    'form',
    {
      class: 'rate',
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault()
        if (rate.value !== '') send({ run, action: 'learningRate', value: Number(rate.value) })
      },
    },
    element('label', { class: 'field' }, element('span', {}, 'Learning rate'), rate),
    element('button', { type: 'submit' }, 'Set'),
  )
  const hasRate = runs.get(run)?.learningRate !== undefined
  return [
    element('button', { type: 'button', onclick: () => send({ run, action: 'checkpoint' }) }, 'Save a checkpoint'),
    element(
      'button',
      { type: 'button', class: 'danger', onclick: () => ask(run, () => send({ run, action: 'stop' })) },
      'Stop …',
    ),
    hasRate && form,
  ]
}

/** @param {string} run @param {() => void} stop */
function ask(run, stop) {
  const id = newId()
  const dialog = element(
    'dialog',
    { 'aria-labelledby': id, onclose: () => dialog.remove() },
    element('h2', { id }, `Stop ${run}?`),
    element('p', {}, 'The step under way is finished; what was learnt until then stays.'),
    element(
      'div',
      { class: 'row' },
      element('button', { type: 'button', onclick: () => dialog.close() }, 'Go on'),
      element(
        'button',
        {
          type: 'button',
          class: 'danger',
          onclick: () => {
            dialog.close()
            stop()
          },
        },
        'Stop',
      ),
    ),
  )
  document.body.append(dialog)
  dialog.showModal()
}
