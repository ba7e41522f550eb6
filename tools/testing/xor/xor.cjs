require('./train.cjs').main(require('galvani'))
