// The usual developer's script: PapaParse reads the users file as a stream, a Zod schema checks each row, a Map finds the
// duplicates. Prints the number of bad rows.
import fs from 'node:fs'
import Papa from 'papaparse'
import { z } from 'zod'

const atom = "[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
const label = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?'
const email = new RegExp(`^(?=[^@]{1,64}@)${atom}(?:\\.${atom})*@(?:${label}\\.)+${label}$`, 'i')
const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufffd]/

const text = z.string().trim().refine((s) => s.length <= 64 || [...s].length <= 64, 'text_too_long')
  .refine((s) => !control.test(s), 'text_invalid')
const row = z.object({
  'First Name': text,
  'Last Name': text,
  'Display Name': text,
  'User ID/Email (Required)': z.string().trim().min(1, 'email_missing')
    .refine((s) => Buffer.byteLength(s) <= 254, 'email_too_long').regex(email, 'email_invalid'),
  'Title': text,
  'Department': text,
  'Phone Number': z.string().trim().regex(/^(?:'?\+[1-9][0-9]{1,14})?$/, 'phone_invalid'),
  'Preferred Language': z.string().trim().regex(/^(?:[a-z]{2,3}(?:-[a-z0-9]{2,8})*)?$/i, 'language_invalid'),
  'Claim Type': z.string().trim().regex(/^(?:immediate|delayed)?$/i, 'claim_type_invalid'),
  'Claim': z.string().trim().regex(/^(?:true|t|false|f)?$/i, 'boolean_invalid'),
})

const seen = new Map()
let bad = 0
let line = 0
Papa.parse(fs.createReadStream(process.argv[2], 'utf8'), {
  header: true,
  step({ data, errors }) {
    line++
    if (errors.length > 0) { // as many fields as the header
      bad++
      return
    }
    if (/^f(?:alse)?$/i.test(data.Claim.trim())) return
    const checked = row.safeParse(data)
    const address = data['User ID/Email (Required)'].trim()
    let duplicate = false
    if (checked.success || (Buffer.byteLength(address) <= 254 && email.test(address))) {
      const key = address.toLowerCase()
      duplicate = seen.has(key)
      if (!duplicate) seen.set(key, line)
    }
    if (duplicate || !checked.success) bad++
  },
  complete() { console.log(bad) },
  error(error) { throw error },
})
