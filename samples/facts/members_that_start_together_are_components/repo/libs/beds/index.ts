export const beds = [{ number: 1, grows: 'leek' }]
